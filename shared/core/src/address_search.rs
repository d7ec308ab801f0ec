//! What an admin types to find addresses of a domain.

use crate::address::{Address, DomainName, LOCAL_PART_OCTETS, LocalPart};
use crate::dot_atom::is_atext;
use crate::member::PersonName;
use crate::newtype::checked_string;

checked_string! {
    /// The beginning of local parts, in lower case. Empty for all of them.
    #[derive(Default)]
    LocalPartPrefix, PrefixError, |text| {
        let is_valid = text.bytes().all(|b| !b.is_ascii_uppercase() && b != b'+' && (b == b'.' || is_atext(b)));
        if is_valid && text.len() <= LOCAL_PART_OCTETS { Ok(text.to_owned()) } else { Err(PrefixError) }
    }
}

impl LocalPartPrefix {
    /// Reads what an admin of the domain typed: the beginning of an address of the domain, or all of it.
    pub fn typed(text: &str, domain: &DomainName) -> Result<Self, PrefixError> {
        let text = text.trim().to_lowercase();
        let local_part = match text.split_once('@') {
            Some((local_part, typed)) if domain.as_str().starts_with(typed) => local_part,
            Some(_) => return Err(PrefixError),
            None => text.as_str(),
        };
        Self::parse(local_part)
    }

    /// Whether a local part begins like this.
    pub fn is_of(&self, local_part: &LocalPart) -> bool {
        local_part.as_str().starts_with(self.as_str())
    }
}

/// No address of the domain begins like this.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no address of the domain begins like this")]
pub struct PrefixError;

/// What an admin types to find a member of a domain.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MemberSearch {
    /// The name at the membership source.
    pub name: Option<PersonName>,
    /// An address of the domain.
    pub address: Option<Address>,
}

impl MemberSearch {
    /// Reads an address of the domain, or a name, which can be a local part of the domain as well.
    pub fn typed(text: &str, domain: &DomainName) -> Self {
        let text = text.trim().to_lowercase();
        match text.split_once('@') {
            Some((local_part, typed)) if typed == domain.as_str() => {
                Self { name: None, address: address(local_part, domain) }
            }
            Some(_) => Self::default(),
            None => Self { name: PersonName::parse(&text).ok(), address: address(&text, domain) },
        }
    }
}

fn address(local_part: &str, domain: &DomainName) -> Option<Address> {
    // A sub-address belongs to the owner of the part before it.
    let local_part = local_part.split('+').next().unwrap_or_default();
    Some(Address { local_part: LocalPart::parse(local_part).ok()?, domain: domain.clone() })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn ubuntu() -> DomainName {
        "ubuntu.com".parse().unwrap()
    }

    #[rstest]
    #[case("", Ok(""))]
    #[case(" Al ", Ok("al"))]
    #[case("al.", Ok("al."))]
    #[case("alice@", Ok("alice"))]
    #[case("alice@ubuntu.com", Ok("alice"))]
    #[case("alice@kubuntu.org", Err(PrefixError))]
    #[case("a b", Err(PrefixError))]
    #[case("ä", Err(PrefixError))]
    #[case("alice+tag", Err(PrefixError))]
    fn typed_prefix_is_of_the_domain(#[case] typed: &str, #[case] expected: Result<&str, PrefixError>) {
        let prefix = LocalPartPrefix::typed(typed, &ubuntu());
        assert_eq!(prefix.as_ref().map(LocalPartPrefix::as_str).map_err(|why| *why), expected);
    }

    #[test]
    fn prefix_has_limited_length() {
        assert!(LocalPartPrefix::parse(&"a".repeat(LOCAL_PART_OCTETS)).is_ok());
        assert_eq!(LocalPartPrefix::parse(&"a".repeat(LOCAL_PART_OCTETS + 1)), Err(PrefixError));
    }

    #[rstest]
    #[case("Alice", Some("alice"), Some("alice@ubuntu.com"))]
    #[case(" alice@ubuntu.com ", None, Some("alice@ubuntu.com"))]
    #[case("alice+tag@ubuntu.com", None, Some("alice@ubuntu.com"))]
    #[case("alice+tag", Some("alice+tag"), Some("alice@ubuntu.com"))]
    #[case("alice@kubuntu.org", None, None)]
    #[case("postmaster", Some("postmaster"), None)]
    #[case("a..b", Some("a..b"), None)]
    #[case("", None, None)]
    #[case("../etc", None, None)]
    fn member_is_found_by_name_or_address(
        #[case] typed: &str,
        #[case] name: Option<&str>,
        #[case] address: Option<&str>,
    ) {
        let search = MemberSearch::typed(typed, &ubuntu());
        assert_eq!(search.name.as_ref().map(PersonName::as_str), name);
        assert_eq!(search.address.map(String::from).as_deref(), address);
    }
}
