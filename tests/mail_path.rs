//! Mail to a member: from another server, through a real Postfix that looks up our table, to the member's mailbox.
//! `cargo dev test mail_path` runs these tests alone.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use anyhow::Result;
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use membermail_core::alias::Status;
use membermail_postfix::smtp::{SmtpPhase, SmtpReply};
use membermail_tests::mail::{MailHost, WIDE};
use membermail_tests::stack::Stack;

mod arc;
mod back;
mod bounce;
mod content;
mod destinations;
mod dmarc;
mod door;
mod load;
mod outage;
mod page;
mod return_path;
mod signed;
mod submission;

/// Signs in and waits for the address at ubuntu.com; its destination is `NAME@mail.example`.
///
/// A person whose address is active, from another test or an earlier try, does not sign in again: the check of that sign-in
/// could end after the test has set a status, and would restore the address.
async fn member(stack: &Stack, name: &str) -> Result<String> {
    let stored = stack.alias(&format!("{name}@ubuntu.com")).await?;
    if !stored.is_some_and(|stored| stored.alias.status == Status::Active) {
        stack.sign_in_at("ubuntu.com", name).await?;
    }
    Ok(format!("{name}@mail.example"))
}

/// Writes a status into the table, as the sync does when a person is no longer a member.
async fn set_status(stack: &Stack, address: &str, status: &str, reason: &str) -> Result<()> {
    stack.set_in_alias(address, "reason", reason).await?;
    stack.set_in_alias(address, "status", status).await
}

async fn host(stack: &Stack, name: &str, settings: &str) -> Result<MailHost> {
    MailHost::start(stack, name, &stack.endpoint_url, settings, WIDE).await
}

/// A host with the default settings, and a member of this name.
async fn host_with_member(name: &str, member_name: &str) -> Result<MailHost> {
    let stack = Stack::of_this_run()?;
    let host = host(&stack, name, "").await?;
    member(&stack, member_name).await?;
    Ok(host)
}

fn hello() -> ClientId {
    ClientId::Domain("client.example".to_owned())
}

/// Connects to a port of a host, from this address.
async fn connect(port: u16, from: Option<IpAddr>) -> Result<AsyncSmtpConnection> {
    let timeout = Some(Duration::from_secs(20));
    let at = (Ipv4Addr::LOCALHOST, port);
    Ok(AsyncSmtpConnection::connect_tokio1(at, timeout, &hello(), None, from).await?)
}

/// Connects with TLS, and accepts any certificate.
async fn connect_with_tls(port: u16, from: Option<IpAddr>) -> Result<AsyncSmtpConnection> {
    let mut connection = connect(port, from).await?;
    let tls = TlsParameters::builder("mail.membermail.test".to_owned()).dangerous_accept_invalid_certs(true).build()?;
    connection.starttls(tls, &hello()).await?;
    Ok(connection)
}

fn refused(said: &SmtpReply, code: &str, words: &str) -> bool {
    matches!(said, SmtpReply::Rejected(SmtpPhase::Recipient, text) if text.starts_with("550") && text.contains(code) && text.contains(words))
}
