//! Talks to the ports of the host.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use jiff::Timestamp;
use membermail_core::address::DomainName;
use membermail_core::random::{Random, bytes};
use rustls::SupportedProtocolVersion;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::client::TlsStream;

use super::client_hello::{Answer, Weakness};
use super::connection::{Connection, Reply, TalkError, open};
use super::ehlo::{Service, Transcript};
use super::probes::Probe;
use super::report::{Check, Finding};
use super::tls::{Trust, VERSIONS};

/// Probes per connection: Postfix delays and then closes a connection with more errors than that.
const PROBES_PER_CONNECTION: usize = 8;

/// The host and the limits of a dialogue.
pub(super) struct Target<'a> {
    pub(super) host: &'a DomainName,
    pub(super) address: IpAddr,
    pub(super) trust: &'a Trust,
    pub(super) random: &'a dyn Random,
    pub(super) now: Timestamp,
    /// Timeout of each connection attempt, reply and handshake.
    pub(super) step: Duration,
}

impl Target<'_> {
    /// All checks of one port; whether it is reachable.
    pub(super) async fn check_port(&self, service: Service, port: u16, findings: &mut Vec<Finding>) -> bool {
        let at = SocketAddr::new(self.address, port);
        let subject = format!("port {port}");
        let (connection, greeting, clear) = match open(at, self.step).await {
            Ok(opened) => opened,
            Err(why) => {
                let next = "check Postfix, and the firewalls on the way: some providers block port 25";
                findings.push(Finding::fail(Check::Port, subject, format!("{at}: {why}"), next));
                return false;
            }
        };
        connection.quit().await;
        if greeting.code != 220 || !clear.is_positive() {
            let reply = if greeting.code == 220 { &clear } else { &greeting };
            let next = "check the log of Postfix";
            findings.push(Finding::fail(Check::Port, subject, format!("{at} replies {}", reply.text()), next));
            return false;
        }
        findings.push(Finding::pass(Check::Port, &subject, format!("{at} accepts connections")));
        let (encrypted, of_tls) = self.check_tls(at, &subject).await;
        findings
            .extend(Transcript { service, subject: subject.clone(), greeting, clear, encrypted }.findings(self.host));
        findings.extend(of_tls);
        for weakness in [Weakness::Tls10, Weakness::Tls11, Weakness::Anonymous] {
            // Unencrypted mail is accepted on port 25, so that a cipher without a certificate is no loss there.
            if service == Service::Submission || weakness != Weakness::Anonymous {
                findings.push(self.check_refusal(at, &subject, weakness).await);
            }
        }
        true
    }

    /// The reply to EHLO after TLS, and the findings on TLS.
    async fn check_tls(&self, at: SocketAddr, subject: &str) -> (Option<Reply>, Vec<Finding>) {
        let mut encrypted = None;
        let mut findings = Vec::new();
        let mut errors = Vec::new();
        let mut chain = Vec::new();
        for (name, version) in VERSIONS {
            match self.talk_with_tls(at, version).await {
                Ok((ehlo, certificates)) => {
                    encrypted = Some(ehlo);
                    chain = certificates;
                }
                Err(why) => errors.push(format!("{name}: {why}")),
            }
        }
        findings.push(if errors.is_empty() {
            Finding::pass(Check::Tls, subject, "TLS 1.2 and 1.3")
        } else {
            Finding::fail(Check::Tls, subject, errors.join("; "), "check smtpd_tls_protocols and the certificate")
        });
        if encrypted.is_some() {
            findings.push(self.trust.certificate(subject, &chain, self.now));
        }
        (encrypted, findings)
    }

    async fn talk_with_tls(
        &self,
        at: SocketAddr,
        version: &'static SupportedProtocolVersion,
    ) -> Result<(Reply, Vec<rustls::pki_types::CertificateDer<'static>>), String> {
        let stream = self.start_tls(at, version).await?;
        let certificates = stream.get_ref().1.peer_certificates().unwrap_or_default();
        let chain = certificates.iter().map(|one| one.clone().into_owned()).collect();
        let mut connection = Connection::new(stream, self.step);
        let ehlo = connection.ehlo().await.map_err(|why| why.to_string())?;
        connection.quit().await;
        Ok((ehlo, chain))
    }

    async fn start_tls(
        &self,
        at: SocketAddr,
        version: &'static SupportedProtocolVersion,
    ) -> Result<TlsStream<TcpStream>, String> {
        let (connection, _, _) = open(at, self.step).await.map_err(|why| why.to_string())?;
        let stream = connection.start_tls().await.map_err(|why| why.to_string())?;
        self.trust.handshake(stream, version, self.step).await
    }

    /// Whether the host refuses a ClientHello with this weakness.
    async fn check_refusal(&self, at: SocketAddr, subject: &str, weakness: Weakness) -> Finding {
        let check = if weakness == Weakness::Anonymous { Check::AnonymousCipher } else { Check::OldTls };
        match self.offer(at, weakness).await {
            Ok(Answer::Refused) => Finding::pass(check, subject, format!("{weakness} is refused")),
            Ok(Answer::Accepted) => {
                let next = match weakness {
                    Weakness::Anonymous => "set smtpd_tls_mandatory_exclude_ciphers = aNULL, SHA1",
                    _ => "set smtpd_tls_protocols and smtpd_tls_mandatory_protocols = >=TLSv1.2",
                };
                Finding::fail(check, subject, format!("{weakness} is accepted"), next)
            }
            Ok(Answer::Unclear) => Finding::warning(
                check,
                subject,
                format!("{weakness}: the answer is not TLS"),
                "check with openssl s_client",
            ),
            Err(why) => Finding::warning(check, subject, format!("{weakness}: {why}"), "check with openssl s_client"),
        }
    }

    async fn offer(&self, at: SocketAddr, weakness: Weakness) -> Result<Answer, TalkError> {
        let (connection, _, _) = open(at, self.step).await?;
        let mut stream = connection.start_tls().await?;
        stream.write_all(&weakness.client_hello(self.host, bytes(self.random))).await?;
        let mut head = Vec::new();
        // The head of the record, and the type of the message in it.
        let read = timeout(self.step, (&mut stream).take(6).read_to_end(&mut head)).await;
        match read.map_err(|_| TalkError::Timeout(self.step))? {
            Ok(_) => Ok(Answer::of(&head)),
            // A reset ends the connection too.
            Err(_) if head.is_empty() => Ok(Answer::Refused),
            Err(error) => Err(error.into()),
        }
    }

    /// Runs the probes on the port for mail from anywhere.
    pub(super) async fn probe(&self, port: u16, probes: &[Probe], findings: &mut Vec<Finding>) {
        for some in probes.chunks(PROBES_PER_CONNECTION) {
            if let Err(why) = self.probe_some(port, some, findings).await {
                let next = "check the log of Postfix, and try again";
                findings.push(Finding::warning(Check::Port, format!("port {port}"), format!("{why}"), next));
            }
        }
    }

    async fn probe_some(&self, port: u16, probes: &[Probe], findings: &mut Vec<Finding>) -> Result<(), TalkError> {
        let (mut connection, _, _) = open(SocketAddr::new(self.address, port), self.step).await?;
        for probe in probes {
            let mut reply = connection.send(&format!("MAIL FROM:<{}>", probe.sender)).await?;
            if reply.is_positive() {
                reply = connection.send(&format!("RCPT TO:<{}>", probe.recipient)).await?;
            }
            findings.push(probe.finding(&reply));
            connection.send("RSET").await?;
        }
        connection.quit().await;
        Ok(())
    }

    /// Whether the submission port refuses mail without a password.
    pub(super) async fn check_submission(&self, port: u16, sender: &str) -> Finding {
        let subject = format!("port {port}");
        let check = Check::Auth;
        match self.submit(port, sender).await {
            Ok(reply) if reply.is_refusal() => {
                Finding::pass(check, subject, format!("mail without a password is refused: {}", reply.text()))
            }
            Ok(reply) if reply.is_positive() => {
                let next = "run this from another network, or remove this one from submitters";
                Finding::fail(check, subject, "mail without a password is accepted", next)
            }
            Ok(reply) => Finding::warning(check, subject, reply.text(), "check the log, and try again"),
            Err(why) => Finding::warning(check, subject, why, "make TLS work first"),
        }
    }

    async fn submit(&self, port: u16, sender: &str) -> Result<Reply, String> {
        let stream = self.start_tls(SocketAddr::new(self.address, port), VERSIONS[1].1).await?;
        let mut connection = Connection::new(stream, self.step);
        let mut reply = connection.ehlo().await.map_err(|why| why.to_string())?;
        for command in [format!("MAIL FROM:<{sender}>"), "RCPT TO:<bob@example.org>".to_owned()] {
            reply = connection.send(&command).await.map_err(|why| why.to_string())?;
            if !reply.is_positive() {
                break;
            }
        }
        connection.quit().await;
        Ok(reply)
    }
}
