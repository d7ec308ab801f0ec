//! A name server on loopback with a few TXT records, to measure DNS checks without the network. It answers every other query
//! with NXDOMAIN.

use std::net::SocketAddr;

use anyhow::{Context, Result};
use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::rdata::TXT;
use hickory_proto::rr::{RData, Record, RecordType};
use tokio::net::UdpSocket;

/// TTL of the records, longer than any measurement.
const TTL: u32 = 3_600;

/// Serves these names and texts until the process exits; returns the address.
pub(crate) async fn start(records: Vec<(String, String)>) -> Result<SocketAddr> {
    let socket = UdpSocket::bind(("127.0.0.1", 0)).await?;
    let address = socket.local_addr()?;
    tokio::spawn(serve(socket, records));
    Ok(address)
}

async fn serve(socket: UdpSocket, records: Vec<(String, String)>) -> Result<()> {
    let mut buffer = [0; 4096];
    loop {
        let (length, client) = socket.recv_from(&mut buffer).await?;
        if let Ok(response) = respond(&buffer[..length], &records) {
            socket.send_to(&response, client).await?;
        }
    }
}

fn respond(request: &[u8], records: &[(String, String)]) -> Result<Vec<u8>> {
    let request = Message::from_vec(request)?;
    let query = request.queries.into_iter().next().context("the DNS message has no query")?;
    let name = query.name().to_ascii();
    let is_text = query.query_type() == RecordType::TXT;
    let found = records.iter().find(|(known, _)| is_text && name.trim_end_matches('.').eq_ignore_ascii_case(known));
    let code = if found.is_some() { ResponseCode::NoError } else { ResponseCode::NXDomain };
    let mut response = Message::error_msg(request.metadata.id, request.metadata.op_code, code);
    response.metadata.recursion_desired = request.metadata.recursion_desired;
    response.metadata.recursion_available = true;
    if let Some((_, text)) = found {
        // A string of a TXT record has at most 255 octets.
        let strings = text.as_bytes().chunks(255).map(|part| String::from_utf8_lossy(part).into_owned()).collect();
        response.add_answer(Record::from_rdata(query.name().clone(), TTL, RData::TXT(TXT::new(strings))));
    }
    response.add_query(query);
    Ok(response.to_vec()?)
}

#[cfg(test)]
mod tests {
    use hickory_proto::op::Query;
    use hickory_proto::rr::Name;

    use super::*;

    #[rstest::rstest]
    #[case::text("a.example.", RecordType::TXT, ResponseCode::NoError, 1)]
    #[case::any_case("A.Example.", RecordType::TXT, ResponseCode::NoError, 1)]
    #[case::other_type("a.example.", RecordType::A, ResponseCode::NXDomain, 0)]
    #[case::other_name("b.example.", RecordType::TXT, ResponseCode::NXDomain, 0)]
    fn known_text_is_answered(
        #[case] name: &str,
        #[case] kind: RecordType,
        #[case] code: ResponseCode,
        #[case] answers: usize,
    ) {
        let mut request = Message::query();
        request.add_query(Query::query(Name::from_ascii(name).unwrap(), kind));
        let records = [("a.example".to_owned(), "x".repeat(300))];
        let response = respond(&request.to_vec().unwrap(), &records).unwrap();
        let response = Message::from_vec(&response).unwrap();
        assert_eq!((response.metadata.response_code, response.answers.len()), (code, answers));
    }
}
