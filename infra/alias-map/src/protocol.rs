//! What is inside the netstrings: `NAME KEY` from Postfix, a status and a value back (socketmap_table(5), PROTOCOL).

use std::fmt;

/// Which table Postfix asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Map {
    /// `virtual_alias_maps`: an address of ours to where it forwards to.
    Alias,
    /// `check_recipient_access`: an address of ours to the reason why it is refused.
    Reject,
    /// `virtual_alias_domains`: whether a domain is ours.
    Domain,
}

impl Map {
    /// All of them, each at its own place.
    pub const ALL: [Self; 3] = [Self::Alias, Self::Reject, Self::Domain];

    /// As Postfix's configuration and our metrics name it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Alias => "alias",
            Self::Reject => "reject",
            Self::Domain => "domain",
        }
    }
}

/// One question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request<'a> {
    /// Which table.
    pub map: Map,
    /// The key as it came, or `None` where it is not even text: nothing can be found under that.
    pub key: Option<&'a str>,
}

/// A question that no mail server of ours asks: somebody looks at the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestFault {
    /// No name and key.
    #[error("not a map name and a key")]
    Form,
    /// A map that is not here.
    #[error("no such map")]
    Map,
}

impl<'a> Request<'a> {
    /// Reads the data of a netstring.
    pub fn parse(data: &'a [u8]) -> Result<Self, RequestFault> {
        let space = data.iter().position(|byte| *byte == b' ').ok_or(RequestFault::Form)?;
        let (name, key) = data.split_at(space);
        let map = match name {
            b"alias" => Map::Alias,
            b"reject" => Map::Reject,
            b"domain" => Map::Domain,
            _ => return Err(RequestFault::Map),
        };
        Ok(Self { map, key: std::str::from_utf8(&key[1..]).ok() })
    }
}

/// One answer. Its `Debug` shows no value, which can be an address.
#[derive(Clone, PartialEq, Eq)]
pub enum Reply {
    /// This is the value.
    Ok(String),
    /// There is no such key.
    NotFound,
    /// Ask again later: the sender of the mail keeps it (451).
    Temp(&'static str),
    /// Asking again is of no use: Postfix's configuration is wrong.
    Perm(RequestFault),
}

impl Reply {
    /// The words for logs and metrics.
    pub const KINDS: [&str; 4] = ["ok", "not-found", "temp", "perm"];

    /// The place of its word among [`Self::KINDS`].
    pub fn kind(&self) -> usize {
        match self {
            Self::Ok(_) => 0,
            Self::NotFound => 1,
            Self::Temp(_) => 2,
            Self::Perm(_) => 3,
        }
    }

    /// The word for logs and metrics.
    pub fn as_str(&self) -> &'static str {
        Self::KINDS[self.kind()]
    }

    /// The data of the netstring; `NOTFOUND` has a space behind it and nothing after that.
    pub fn to_data(&self) -> String {
        match self {
            Self::Ok(value) => format!("OK {value}"),
            Self::NotFound => "NOTFOUND ".to_owned(),
            Self::Temp(reason) => format!("TEMP {reason}"),
            Self::Perm(fault) => format!("PERM {fault}"),
        }
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
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
    #[case::no_text(b"alias \xff@ubuntu.com", Ok(Request { map: Map::Alias, key: None }))]
    #[case::no_key(b"alias", Err(RequestFault::Form))]
    #[case::nothing(b"", Err(RequestFault::Form))]
    #[case::other_map(b"passwd root", Err(RequestFault::Map))]
    #[case::one_case_only(b"ALIAS a@b", Err(RequestFault::Map))]
    fn requests(#[case] data: &[u8], #[case] expected: Result<Request<'_>, RequestFault>) {
        assert_eq!(Request::parse(data), expected);
    }

    #[rstest::rstest]
    #[case(Reply::Ok("a@b".into()), "OK a@b")]
    #[case(Reply::NotFound, "NOTFOUND ")]
    #[case(Reply::Temp("later"), "TEMP later")]
    #[case(Reply::Perm(RequestFault::Map), "PERM no such map")]
    fn replies(#[case] reply: Reply, #[case] data: &str) {
        assert_eq!(reply.to_data(), data);
        assert!(!format!("{reply:?}").contains('@'));
    }
}
