//! A mail server that takes everything, and what it took.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use mail_parser::MessageParser;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// A mail that was taken.
#[derive(Clone, Debug)]
pub(super) struct Mail {
    pub(super) to: String,
    pub(super) id: String,
    pub(super) subject: String,
    pub(super) text: String,
}

pub(super) type Mails = Arc<Mutex<Vec<Mail>>>;

/// The different messages to somebody: a repeat of one has the same id, by which a mail program knows it.
pub(super) fn different(mails: &Mails, to: &str) -> Vec<Mail> {
    let (mut seen, mails) = (BTreeSet::new(), mails.lock().unwrap());
    mails.iter().filter(|mail| mail.to == to && seen.insert(mail.id.clone())).cloned().collect()
}

/// A mail server: its port, and what it took.
pub(super) async fn serve() -> (u16, Mails) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (port, taken) = (listener.local_addr().unwrap().port(), Mails::default());
    let mails = Arc::clone(&taken);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(talk(stream, Arc::clone(&mails)));
        }
    });
    (port, taken)
}

async fn talk(stream: TcpStream, mails: Mails) {
    let mut stream = BufReader::new(stream);
    stream.write_all(b"220 ready\r\n").await.unwrap();
    let (mut line, mut to, mut data) = (String::new(), String::new(), None::<String>);
    while stream.read_line(&mut line).await.is_ok_and(|read| read > 0) {
        let said = line.trim_end();
        let reply = match (&mut data, said.get(..4).unwrap_or(said)) {
            (Some(text), ".") => {
                mails.lock().unwrap().push(parse(&to, text));
                data = None;
                "250 taken"
            }
            (Some(text), _) => {
                text.push_str(line.strip_prefix('.').unwrap_or(&line));
                ""
            }
            (None, "DATA") => {
                data = Some(String::new());
                "354 go on"
            }
            (None, "RCPT") => {
                to = said.split(['<', '>']).nth(1).unwrap().to_owned();
                "250 ok"
            }
            (None, _) => "250 ok",
        };
        if !reply.is_empty() && stream.write_all(format!("{reply}\r\n").as_bytes()).await.is_err() {
            return;
        }
        line.clear();
    }
}

fn parse(to: &str, text: &str) -> Mail {
    let message = MessageParser::default().parse(text.as_bytes()).unwrap();
    Mail {
        to: to.to_owned(),
        id: message.message_id().unwrap().to_owned(),
        subject: message.subject().unwrap().to_owned(),
        text: message.body_text(0).unwrap().into_owned(),
    }
}
