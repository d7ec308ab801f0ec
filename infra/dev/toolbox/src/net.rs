//! Ports for services that cannot choose their own.

use std::net::{Ipv4Addr, TcpListener};

use anyhow::{Result, bail};

/// A free loopback port below the ephemeral range: the kernel could give an ephemeral port to a client before the service
/// binds it.
pub fn free_port() -> Result<u16> {
    for _ in 0..200 {
        let port = fastrand::u16(20_000..32_000);
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return Ok(port);
        }
    }
    bail!("found no free port between 20000 and 32000")
}
