//! Requests (`NAME KEY`) and replies of the socketmap protocol (socketmap_table(5), PROTOCOL).

use std::fmt;

use strum::{AsRefStr, EnumDiscriminants, EnumString, VariantNames};

/// A lookup table of Postfix. Its name is the one in Postfix's configuration and in metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, AsRefStr, EnumString, VariantNames)]
#[strum(serialize_all = "kebab-case")]
pub enum Map {
    /// `virtual_alias_maps`: from an alias to its destinations.
    Alias,
    /// `check_recipient_access`: from an alias to the reply that rejects it, and from a return-path address to the class of
    /// restrictions for bounces.
    Reject,
    /// `virtual_alias_domains`: the domains that we accept mail for.
    Domain,
    /// `sender_canonical_maps`: from an envelope sender to its return-path address.
    ReturnPath,
    /// `relay_recipient_maps`: from a return-path address to the envelope sender.
    Return,
    /// `check_sender_access`: from an envelope sender to the reply that rejects it.
    Sender,
    /// For membermail-bounce: from an address of ours and a recipient of a report, separated by a blank, to the id of the
    /// destination.
    Destination,
}

/// A request of Postfix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request<'a> {
    /// The requested map.
    pub map: Map,
    /// The key, or `None` if it is not UTF-8, which no key of ours matches.
    pub key: Option<&'a str>,
}

/// A request is malformed, which means that Postfix is misconfigured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// There is no space between a name and a key.
    #[error("not a map name and a key")]
    Form,
    /// The map does not exist.
    #[error("no such map")]
    Map,
}

impl<'a> Request<'a> {
    /// Parses the data of a netstring.
    pub fn parse(data: &'a [u8]) -> Result<Self, RequestError> {
        let space = data.iter().position(|byte| *byte == b' ').ok_or(RequestError::Form)?;
        let (name, key) = data.split_at(space);
        let map = std::str::from_utf8(name).ok().and_then(|name| name.parse().ok()).ok_or(RequestError::Map)?;
        Ok(Self { map, key: std::str::from_utf8(&key[1..]).ok() })
    }
}

/// A reply to Postfix. `Debug` omits the value, which can be an address.
#[derive(Clone, PartialEq, Eq, AsRefStr, EnumDiscriminants)]
#[strum(serialize_all = "kebab-case")]
#[strum_discriminants(name(ReplyKind), derive(VariantNames), strum(serialize_all = "kebab-case"))]
#[strum_discriminants(doc = "The kind of a reply, for logs and metrics.")]
pub enum Reply {
    /// The value of the key.
    Ok(String),
    /// The map does not have the key.
    NotFound,
    /// A temporary failure: Postfix defers the mail (451).
    Temp(&'static str),
    /// A permanent failure: a retry cannot succeed.
    Perm(RequestError),
}

impl Reply {
    /// The data of the netstring. `NOTFOUND` ends with a space, as the protocol requires.
    pub fn to_data(&self) -> String {
        match self {
            Self::Ok(value) => format!("OK {value}"),
            Self::NotFound => "NOTFOUND ".to_owned(),
            Self::Temp(reason) => format!("TEMP {reason}"),
            Self::Perm(error) => format!("PERM {error}"),
        }
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_ref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case(b"alias alice@ubuntu.com", Ok(Request { map: Map::Alias, key: Some("alice@ubuntu.com") }))]
    #[case(b"domain ubuntu.com", Ok(Request { map: Map::Domain, key: Some("ubuntu.com") }))]
    #[case::space_in_the_key(b"reject \"a b\"@c", Ok(Request { map: Map::Reject, key: Some("\"a b\"@c") }))]
    #[case::empty_key(b"alias ", Ok(Request { map: Map::Alias, key: Some("") }))]
    #[case::utf8("alias älice@ubuntu.com".as_bytes(), Ok(Request { map: Map::Alias, key: Some("älice@ubuntu.com") }))]
    #[case::not_utf8(b"alias \xff@ubuntu.com", Ok(Request { map: Map::Alias, key: None }))]
    #[case::no_key(b"alias", Err(RequestError::Form))]
    #[case::nothing(b"", Err(RequestError::Form))]
    #[case::other_map(b"passwd root", Err(RequestError::Map))]
    #[case::one_case_only(b"ALIAS a@b", Err(RequestError::Map))]
    fn request_is_parsed(#[case] data: &[u8], #[case] expected: Result<Request<'_>, RequestError>) {
        assert_eq!(Request::parse(data), expected);
    }

    #[rstest::rstest]
    #[case(Reply::Ok("a@b".into()), "OK a@b")]
    #[case(Reply::NotFound, "NOTFOUND ")]
    #[case(Reply::Temp("later"), "TEMP later")]
    #[case(Reply::Perm(RequestError::Map), "PERM no such map")]
    fn reply_is_encoded(#[case] reply: Reply, #[case] data: &str) {
        assert_eq!(reply.to_data(), data);
        assert!(!format!("{reply:?}").contains('@'));
    }
}
