//! The listening sockets of a process and its descendants, read from `/proc`.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};

use anyhow::Result;
use procfs::net::{TcpState, UdpState};
use procfs::process::{FDTarget, Process, all_processes};

/// A listening socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listening {
    /// Its address.
    pub at: SocketAddr,
    /// The owner: program name and process id.
    pub program: String,
}

impl Listening {
    /// Whether only this machine can reach it. An IPv6 socket may carry an IPv4 address.
    pub fn is_on_loopback(&self) -> bool {
        let ip = match self.at.ip() {
            IpAddr::V6(ip) => ip.to_canonical(),
            ip => ip,
        };
        ip.is_loopback()
    }
}

/// All TCP and UDP sockets on which a process and its descendants listen. A connected UDP socket does not count, since it
/// only receives from its peer.
pub fn listening(root: i32) -> Result<Vec<Listening>> {
    let mut owners = BTreeMap::new();
    for process in family(root)? {
        let Ok(stat) = process.stat() else { continue };
        for fd in process.fd().into_iter().flatten().flatten() {
            if let FDTarget::Socket(inode) = fd.target {
                owners.insert(inode, format!("{} ({})", stat.comm, stat.pid));
            }
        }
    }
    let tcp = procfs::net::tcp()?.into_iter().chain(procfs::net::tcp6()?);
    let tcp = tcp.filter(|entry| entry.state == TcpState::Listen).map(|entry| (entry.local_address, entry.inode));
    let udp = procfs::net::udp()?.into_iter().chain(procfs::net::udp6()?);
    let udp = udp.filter(|entry| entry.state == UdpState::Close).map(|entry| (entry.local_address, entry.inode));
    let sockets = tcp.chain(udp);
    Ok(sockets.filter_map(|(at, inode)| Some(Listening { at, program: owners.get(&inode)?.clone() })).collect())
}

/// A process and all its descendants.
fn family(root: i32) -> Result<Vec<Process>> {
    // A process may end meanwhile.
    let all: Vec<_> =
        all_processes()?.flatten().filter_map(|process| process.stat().ok().map(|stat| (stat.ppid, process))).collect();
    let mut pids = BTreeSet::from([root]);
    while all.iter().any(|(parent, process)| pids.contains(parent) && pids.insert(process.pid)) {}
    Ok(all.into_iter().map(|(_, process)| process).filter(|process| pids.contains(&process.pid)).collect())
}
