//! A name server on loopback that answers at once, and knows no name: what a function of ours takes for its questions,
//! without what the network takes.

use std::net::SocketAddr;

use anyhow::{Context, Result};
use hickory_proto::op::{Message, ResponseCode};
use tokio::net::UdpSocket;

/// Listens until the process ends; the address is where.
pub(crate) async fn start() -> Result<SocketAddr> {
    let socket = UdpSocket::bind(("127.0.0.1", 0)).await?;
    let address = socket.local_addr()?;
    tokio::spawn(serve(socket));
    Ok(address)
}

async fn serve(socket: UdpSocket) -> Result<()> {
    let mut question = [0; 4096];
    loop {
        let (length, from) = socket.recv_from(&mut question).await?;
        if let Ok(answer) = no_such_name(&question[..length]) {
            socket.send_to(&answer, from).await?;
        }
    }
}

fn no_such_name(question: &[u8]) -> Result<Vec<u8>> {
    let question = Message::from_vec(question)?;
    let mut answer = Message::error_msg(question.metadata.id, question.metadata.op_code, ResponseCode::NXDomain);
    answer.metadata.recursion_desired = question.metadata.recursion_desired;
    answer.metadata.recursion_available = true;
    answer.add_query(question.queries.into_iter().next().context("a question without a question")?);
    Ok(answer.to_vec()?)
}
