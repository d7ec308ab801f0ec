//! Knot DNS on loopback with the zones of a test; and faulty name servers.

use std::fmt::Write;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use membermail_core::domain_proof::DnsAnswer;
use membermail_domains::{Resolver, Settings};
use tempfile::TempDir;
use tokio::net::{TcpListener, UdpSocket};
use tokio::process::{Child, Command};

/// A zone that exists as soon as the server answers.
const READY: &str = "ready.example";

/// A zone of a name server.
#[derive(Clone, Copy, Debug)]
pub enum Zone<'a> {
    /// A name, and lines of a zone file (RFC 1035, 5.1) beside its SOA and NS.
    Good(&'a str, &'a str),
    /// A zone that cannot be loaded: every query is answered with SERVFAIL.
    Broken(&'a str),
}

/// A running Knot DNS; stopped when dropped.
#[derive(Debug)]
pub struct NameServer {
    /// Its address, for UDP and TCP.
    pub address: SocketAddr,
    _child: Child,
    _folder: TempDir,
}

impl NameServer {
    /// Starts one on a free port and waits until it answers for its zones.
    pub async fn start(knotd: &Path, zones: &[Zone<'_>]) -> Result<Self> {
        // Another process may take the port between the check and the bind.
        for _ in 0..5 {
            if let Some(server) = Self::try_start(knotd, zones).await? {
                return Ok(server);
            }
        }
        bail!("no name server after five ports")
    }

    async fn try_start(knotd: &Path, zones: &[Zone<'_>]) -> Result<Option<Self>> {
        let folder = tempfile::tempdir()?;
        let address = free_address().await?;
        write(folder.path(), address, zones)?;
        let log = fs::File::create(folder.path().join("log"))?;
        let mut command = Command::new(knotd);
        command.arg("--config").arg(folder.path().join("knot.conf")).kill_on_drop(true);
        let mut child = command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).spawn()?;
        let resolver = resolver(address, Duration::from_millis(500))?;
        for _ in 0..100 {
            if child.try_wait()?.is_some() {
                return Ok(None);
            }
            if matches!(resolver.txt(READY).await, DnsAnswer::Records(_)) {
                return Ok(Some(Self { address, _child: child, _folder: folder }));
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        bail!("knotd does not answer: {}", fs::read_to_string(folder.path().join("log"))?)
    }
}

fn write(folder: &Path, address: SocketAddr, zones: &[Zone<'_>]) -> Result<()> {
    let user = id("-un")?;
    let group = id("-gn")?;
    let here = folder.display();
    let mut conf = format!(
        "server:\n  rundir: {here}\n  user: \"{user}:{group}\"\n  listen: {}@{}\n\
         database:\n  storage: {here}/db\n\
         log:\n  - target: stderr\n    any: info\n\
         template:\n  - id: default\n    storage: {here}\n    zonefile-sync: -1\n    journal-content: none\nzone:\n",
        address.ip(),
        address.port(),
    );
    for zone in [&[Zone::Good(READY, "@ TXT ready")], zones].concat() {
        let (name, text) = match zone {
            Zone::Good(name, lines) => {
                (name, format!("$TTL 60\n@ SOA ns admin 1 60 60 60 60\n@ NS ns.{READY}.\n{lines}\n"))
            }
            Zone::Broken(name) => (name, "this is no zone\n".to_owned()),
        };
        let file = folder.join(format!("{name}.zone"));
        fs::write(&file, format!("$ORIGIN {name}.\n{text}"))?;
        write!(conf, "  - domain: {name}\n    file: {}\n", file.display())?;
    }
    Ok(fs::write(folder.join("knot.conf"), conf)?)
}

fn id(what: &str) -> Result<String> {
    let output = std::process::Command::new("id").arg(what).output()?;
    ensure!(output.status.success(), "id {what} ended with {}", output.status);
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

/// An address of loopback whose port is free for UDP and TCP.
async fn free_address() -> Result<SocketAddr> {
    for _ in 0..20 {
        let tcp = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = tcp.local_addr()?;
        if UdpSocket::bind(address).await.is_ok() {
            return Ok(address);
        }
    }
    bail!("no port is free for both UDP and TCP")
}

/// A resolver that asks only this server.
pub fn resolver(server: SocketAddr, timeout: Duration) -> Result<Resolver> {
    Resolver::new(&Settings { servers: Some(server.into()), timeout }).context("the resolver")
}

/// The fault of a name server, which answers over UDP only.
#[derive(Clone, Copy, Debug)]
pub enum Fault {
    /// No answer.
    Silent,
    /// A truncated answer (TC).
    Truncated,
    /// Octets that are no DNS message.
    Garbage,
    /// A referral to itself: a lame delegation.
    Referral,
}

/// Starts a faulty server, which stops with the test's runtime.
pub async fn faulty(fault: Fault) -> Result<SocketAddr> {
    let socket = UdpSocket::bind(free_address().await?).await?;
    let address = socket.local_addr()?;
    tokio::spawn(async move {
        let mut buffer = [0; 1500];
        while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
            if let Some(answer) = answer(fault, &buffer[..length]) {
                let _ = socket.send_to(&answer, from).await;
            }
        }
    });
    Ok(address)
}

/// A response made from the query (RFC 1035, 4.1).
fn answer(fault: Fault, question: &[u8]) -> Option<Vec<u8>> {
    let mut answer = question.to_vec();
    // QR: this is a response.
    answer[2] |= 0x80;
    match fault {
        Fault::Silent => return None,
        Fault::Garbage => return Some(vec![0xff; 40]),
        // TC.
        Fault::Truncated => answer[2] |= 0x02,
        Fault::Referral => {
            // Twelve octets of header, the name up to its empty label, type and class: what follows is left out.
            let end = 12 + answer[12..].iter().position(|octet| *octet == 0)? + 5;
            answer.truncate(end);
            (answer[9], answer[11]) = (1, 0);
            // One NS in the authority section: the name asked for (a pointer to it), for 60 seconds, is at itself.
            answer.extend([0xc0, 12, 0, 2, 0, 1, 0, 0, 0, 60, 0, 2, 0xc0, 12]);
        }
    }
    Some(answer)
}
