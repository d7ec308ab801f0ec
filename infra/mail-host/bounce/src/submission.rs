//! Submission of a report to Postfix on this host.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use async_trait::async_trait;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::commands::{Data, Mail};
use lettre::transport::smtp::extension::ClientId;
use membermail_core::address::DomainName;

use crate::address::Mailbox;

/// Where reports are submitted.
#[async_trait]
pub trait Submission: Send + Sync {
    /// Submits a mail with the null sender (RFC 5321, 4.5.5).
    async fn submit(&self, recipient: &Mailbox, mail: &[u8]) -> Result<(), SubmissionError>;
}

/// A report was not accepted. Contains no reply text, which can repeat an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SubmissionError {
    /// It can be accepted later.
    #[error("the report is not accepted now")]
    Temporary,
    /// It will never be accepted: the sender's address is invalid by now.
    #[error("the report is rejected")]
    Permanent,
}

/// A service of Postfix on a loopback port.
#[derive(Clone, Debug)]
pub struct Smtp {
    /// The address of the service.
    pub server: SocketAddr,
    /// The name in `EHLO`.
    pub host: DomainName,
}

/// Timeout of each reply.
const TIMEOUT: Duration = Duration::from_secs(60);

#[async_trait]
impl Submission for Smtp {
    async fn submit(&self, recipient: &Mailbox, mail: &[u8]) -> Result<(), SubmissionError> {
        let client = ClientId::Domain(self.host.to_string());
        let connection = AsyncSmtpConnection::connect_tokio1(self.server, Some(TIMEOUT), &client, None, None).await;
        let mut connection = connection.map_err(|_| SubmissionError::Temporary)?;
        let result = transact(&mut connection, recipient, mail).await;
        let _ = connection.quit().await;
        result
            .map_err(|error| if error.is_permanent() { SubmissionError::Permanent } else { SubmissionError::Temporary })
    }
}

async fn transact(connection: &mut AsyncSmtpConnection, recipient: &Mailbox, mail: &[u8]) -> Result<(), Error> {
    connection.command(Mail::new(None, Vec::new())).await?;
    connection.command(Rcpt(recipient)).await?;
    connection.command(Data).await?;
    connection.message(mail).await?;
    Ok(())
}

/// `RCPT TO`. lettre's own command has no local parts such as `dot.`, which some carriers assign.
struct Rcpt<'a>(&'a Mailbox);

impl fmt::Display for Rcpt<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RCPT TO:<{}>\r\n", self.0.expose())
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
    use tokio::net::TcpListener;

    use super::*;

    /// Submits a mail to a server that says this to `RCPT TO`, and returns the commands.
    async fn submit(recipient: &str, reply: &'static str) -> (Result<(), SubmissionError>, Vec<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = listener.local_addr().unwrap();
        let serving = tokio::spawn(async move {
            let mut peer = BufReader::new(listener.accept().await.unwrap().0);
            let mut commands = Vec::new();
            let mut in_data = false;
            peer.write_all(b"220 mail ESMTP\r\n").await.unwrap();
            loop {
                let mut line = String::new();
                if peer.read_line(&mut line).await.unwrap() == 0 {
                    return commands;
                }
                commands.push(line.trim_end().to_owned());
                let reply = match line.get(..4).unwrap_or_default() {
                    _ if in_data && line != ".\r\n" => continue,
                    "RCPT" => reply,
                    "DATA" => "354 go on",
                    "QUIT" => "221 bye",
                    _ => "250 OK",
                };
                in_data = reply == "354 go on";
                peer.write_all(format!("{reply}\r\n").as_bytes()).await.unwrap();
            }
        });
        let smtp = Smtp { server, host: "mx.forwards.example".parse().unwrap() };
        let result = smtp.submit(&Mailbox::parse(recipient).unwrap(), b"Subject: x\r\n\r\n.dot\r\n").await;
        (result, serving.await.unwrap())
    }

    #[rstest::rstest]
    #[case::plain("sender@elsewhere.example")]
    #[case::quoted("\"john doe\"@elsewhere.example")]
    #[case::trailing_dot("dot.@carrier.example")]
    #[case::address_literal("user@[192.0.2.1]")]
    #[tokio::test]
    async fn report_goes_to_any_sender(#[case] recipient: &str) {
        let submitted = submit(recipient, "250 OK").await;
        assert_eq!(submitted.0, Ok(()));
        assert_eq!(submitted.1[..3], ["EHLO mx.forwards.example", "MAIL FROM:<>", &format!("RCPT TO:<{recipient}>")]);
        assert!(submitted.1.contains(&"..dot".to_owned()), "{:?}", submitted.1);
    }

    #[rstest::rstest]
    #[case("451 4.3.0 later", SubmissionError::Temporary)]
    #[case("550 5.1.1 no such user", SubmissionError::Permanent)]
    #[case("nonsense", SubmissionError::Temporary)]
    #[tokio::test]
    async fn refusal_decides_on_retry(#[case] reply: &'static str, #[case] expected: SubmissionError) {
        assert_eq!(submit("sender@elsewhere.example", reply).await.0, Err(expected));
    }

    #[tokio::test]
    async fn closed_port_is_temporary() {
        let smtp = Smtp { server: "127.0.0.1:1".parse().unwrap(), host: "mx.forwards.example".parse().unwrap() };
        let result = smtp.submit(&Mailbox::parse("sender@elsewhere.example").unwrap(), b"").await;
        assert_eq!(result, Err(SubmissionError::Temporary));
    }
}
