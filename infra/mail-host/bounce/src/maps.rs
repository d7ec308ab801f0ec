//! Look-ups in alias-map.

use std::time::Duration;

use async_trait::async_trait;
use membermail_alias_map::client::Client;
use membermail_alias_map::endpoint::Endpoint;
use membermail_core::address::DomainName;
use membermail_core::destination::DestinationId;
use membermail_core::member::MemberId;
use tokio::time::timeout;

use crate::address::{Mailbox, Recipient};

/// Whose mail an address of the return path stands for.
#[derive(Debug, PartialEq, Eq)]
pub enum Owner {
    /// The sender of a forwarded mail.
    Sender(Mailbox),
    /// The member whom a notice went to.
    Notice(MemberId),
    /// The address is forged, expired, or not of the return path.
    Unknown,
}

/// alias-map did not reply, or could not read the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no alias-map")]
pub struct MapsError;

/// The maps of alias-map that concern bounces.
#[async_trait]
pub trait Maps: Send {
    /// Looks up an address of the return path.
    async fn owner(&mut self, address: &Mailbox) -> Result<Owner, MapsError>;
    /// Whether mail to the domain is forwarded here.
    async fn is_served(&mut self, domain: &DomainName) -> Result<bool, MapsError>;
    /// The current destination of an address that a bounce names.
    async fn destination(
        &mut self,
        address: &Recipient,
        recipient: &Mailbox,
    ) -> Result<Option<DestinationId>, MapsError>;
}

/// alias-map limits itself to 3 s.
const TIMEOUT: Duration = Duration::from_secs(5);

/// A connection to alias-map.
pub struct AliasMap(Client);

impl AliasMap {
    /// Connects to alias-map.
    pub async fn connect(endpoint: &Endpoint) -> Result<Self, MapsError> {
        timeout(TIMEOUT, Client::connect(endpoint)).await.ok().and_then(Result::ok).map(Self).ok_or(MapsError)
    }

    /// The value of a key; `None` if the map does not have it.
    async fn get(&mut self, map: &str, key: &str) -> Result<Option<String>, MapsError> {
        let reply = timeout(TIMEOUT, self.0.request(map, key)).await.ok().and_then(Result::ok).ok_or(MapsError)?;
        match reply.split_once(' ') {
            Some(("OK", value)) => Ok(Some(value.to_owned())),
            Some(("NOTFOUND", _)) => Ok(None),
            _ => Err(MapsError),
        }
    }
}

#[async_trait]
impl Maps for AliasMap {
    async fn owner(&mut self, address: &Mailbox) -> Result<Owner, MapsError> {
        Ok(self.get("return", address.expose()).await?.map_or(Owner::Unknown, |value| owner(&value)))
    }

    async fn is_served(&mut self, domain: &DomainName) -> Result<bool, MapsError> {
        Ok(self.get("domain", domain.as_str()).await?.is_some())
    }

    async fn destination(
        &mut self,
        address: &Recipient,
        recipient: &Mailbox,
    ) -> Result<Option<DestinationId>, MapsError> {
        let key = format!("{} {}", address.expose(), recipient.expose());
        match self.get("destination", &key).await? {
            Some(value) => DestinationId::parse(&value).map(Some).ok_or(MapsError),
            None => Ok(None),
        }
    }
}

/// Parses a value of the map `return`.
fn owner(value: &str) -> Owner {
    if let Some(member) = value.strip_prefix("notice=") {
        return MemberId::parse(member).map_or(Owner::Unknown, Owner::Notice);
    }
    Mailbox::parse(value).map_or(Owner::Unknown, Owner::Sender)
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    const MEMBER: &str = "01HZ0000000000000000000000";

    #[rstest::rstest]
    #[case::sender("sender@elsewhere.example", Owner::Sender(Mailbox::parse("sender@elsewhere.example").unwrap()))]
    #[case::notice(&format!("notice={MEMBER}"), Owner::Notice(MemberId::parse(MEMBER).unwrap()))]
    #[case::other_notice("notice=alice", Owner::Unknown)]
    #[case::no_address("OK", Owner::Unknown)]
    fn owner_is_parsed(#[case] value: &str, #[case] expected: Owner) {
        assert_eq!(owner(value), expected);
    }

    /// The reply to one request.
    async fn ask(reply: &'static str) -> Result<Option<DestinationId>, MapsError> {
        const REQUEST: &[u8] = b"49:destination alice+x@ubuntu.com \"a b\"@mail.example,";
        let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("inet:{}", server.local_addr().unwrap()).parse().unwrap();
        let serving = tokio::spawn(async move {
            let mut peer = server.accept().await.unwrap().0;
            let mut request = [0; REQUEST.len()];
            peer.read_exact(&mut request).await.unwrap();
            assert_eq!(&request[..], REQUEST);
            peer.write_all(reply.as_bytes()).await.unwrap();
        });
        let mut maps = AliasMap::connect(&endpoint).await.unwrap();
        let address = Recipient::parse("alice+x@ubuntu.com").unwrap();
        let found = maps.destination(&address, &Mailbox::parse("\"a b\"@mail.example").unwrap()).await;
        serving.await.unwrap();
        found
    }

    #[rstest::rstest]
    #[case::known("29:OK 01ARZ3NDEKTSV4RRFFQ69G5FAV,", Ok(DestinationId::parse("01ARZ3NDEKTSV4RRFFQ69G5FAV")))]
    #[case::other("9:NOTFOUND ,", Ok(None))]
    #[case::later("10:TEMP later,", Err(MapsError))]
    #[case::older_alias_map("16:PERM no such map,", Err(MapsError))]
    #[case::no_id("6:OK a@b,", Err(MapsError))]
    #[case::closed("", Err(MapsError))]
    #[tokio::test]
    async fn destination_is_looked_up(
        #[case] reply: &'static str,
        #[case] expected: Result<Option<DestinationId>, MapsError>,
    ) {
        assert_eq!(ask(reply).await, expected);
    }
}
