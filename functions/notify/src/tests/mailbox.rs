//! A fake mail server that accepts every mail, unless it is told to reject all of them.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use mail_parser::MessageParser;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// An accepted mail.
#[derive(Clone, Debug)]
pub(super) struct Mail {
    pub(super) from: String,
    pub(super) to: String,
    pub(super) id: String,
    pub(super) subject: String,
    pub(super) text: String,
}

pub(super) type Mails = Arc<Mutex<Vec<Mail>>>;

/// The command that is rejected from now on ("." is the end of the message), and the reply.
pub(super) type Rejection = Arc<Mutex<Option<(&'static str, &'static str)>>>;

/// The mails to an address, without repetitions (by `Message-ID`).
pub(super) fn unique_mails(mails: &Mails, to: &str) -> Vec<Mail> {
    let mut seen = BTreeSet::new();
    let mails = mails.lock().unwrap();
    mails.iter().filter(|mail| mail.to == to && seen.insert(mail.id.clone())).cloned().collect()
}

/// Starts the server; returns its port, the accepted mails, and what it rejects.
pub(super) async fn serve() -> (u16, Mails, Rejection) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let accepted = Mails::default();
    let rejection = Rejection::default();
    let (mails, rejected) = (Arc::clone(&accepted), Arc::clone(&rejection));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(talk(stream, Arc::clone(&mails), Arc::clone(&rejected)));
        }
    });
    (port, accepted, rejection)
}

async fn talk(stream: TcpStream, mails: Mails, rejection: Rejection) {
    let mut stream = BufReader::new(stream);
    stream.write_all(b"220 ready\r\n").await.unwrap();
    let mut line = String::new();
    let mut from = String::new();
    let mut to = String::new();
    let mut data = None::<String>;
    while stream.read_line(&mut line).await.is_ok_and(|read| read > 0) {
        let command = line.trim_end();
        let verb = command.get(..4).unwrap_or(command);
        let rejected = rejection.lock().unwrap().filter(|(rejected, _)| *rejected == verb);
        let reply = match (&mut data, verb) {
            (receiving, _) if rejected.is_some() && receiving.is_some() == (verb == ".") => {
                *receiving = None;
                rejected.map_or("", |(_, reply)| reply)
            }
            (Some(text), ".") => {
                mails.lock().unwrap().push(parse(&from, &to, text));
                data = None;
                "250 accepted"
            }
            (Some(text), _) => {
                text.push_str(line.strip_prefix('.').unwrap_or(&line));
                ""
            }
            (None, "DATA") => {
                data = Some(String::new());
                "354 go on"
            }
            (None, "MAIL") => {
                from = command.split(['<', '>']).nth(1).unwrap().to_owned();
                "250 ok"
            }
            (None, "RCPT") => {
                to = command.split(['<', '>']).nth(1).unwrap().to_owned();
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

fn parse(from: &str, to: &str, text: &str) -> Mail {
    let message = MessageParser::default().parse(text.as_bytes()).unwrap();
    Mail {
        from: from.to_owned(),
        to: to.to_owned(),
        id: message.message_id().unwrap().to_owned(),
        subject: message.subject().unwrap().to_owned(),
        text: message.body_text(0).unwrap().into_owned(),
    }
}
