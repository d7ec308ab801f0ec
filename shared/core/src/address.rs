//! Alias addresses: a local part at a domain of the community.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::dot_atom::is_dot_atom;
use crate::member::PersonName;
use crate::newtype::checked_string;
use crate::reserved::{is_assigned, is_reserved};

/// Maximum octets of a local part (RFC 5321, 4.5.3.1.1).
pub const LOCAL_PART_OCTETS: usize = 64;

checked_string! {
    /// The part before the `@`: a dot-atom (RFC 5322, 3.2.3) in lower case, 64 octets at most, not reserved, without `+`:
    /// a sub-address (RFC 5233) belongs to the owner of the local part before it.
    LocalPart, LocalPartError, |text| {
        if text.len() > LOCAL_PART_OCTETS {
            Err(LocalPartError::TooLong)
        } else if !is_dot_atom(text) || text.bytes().any(|b| b.is_ascii_uppercase()) {
            Err(LocalPartError::NotADotAtom)
        } else if text.contains('+') {
            Err(LocalPartError::SubAddress)
        } else if is_reserved(text) {
            Err(LocalPartError::Reserved)
        } else {
            Ok(text.to_owned())
        }
    }
}

impl LocalPart {
    /// The local part for a name at the membership source.
    pub fn of(name: &PersonName) -> Result<Self, LocalPartError> {
        let text = name.as_str().to_ascii_lowercase();
        if is_assigned(&text) { Err(LocalPartError::NotChosen) } else { Self::parse(&text) }
    }
}

/// Why there is no address for a name. The account page explains it; the member needs another name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LocalPartError {
    /// Two dots in a row, one at an end, or a character that does not belong.
    #[error("not valid before the @ of an address")]
    NotADotAtom,
    /// More than [`LOCAL_PART_OCTETS`].
    #[error("longer than the 64 characters that an address allows")]
    TooLong,
    /// Reserved for the operators of the domain.
    #[error("reserved for those who run the domain")]
    Reserved,
    /// It contains a `+`: the sub-address belongs to the owner of the part before it, who can be another member.
    #[error("not usable, because it holds a +")]
    SubAddress,
    /// Launchpad gave it to a merged, deactivated or closed account.
    #[error("one that was assigned, not one that you chose")]
    NotChosen,
}

checked_string! {
    /// A domain in lower case, ASCII (an internationalized one in its `xn--` form), two labels at least (RFC 1035, 2.3.1).
    DomainName, DomainError, |text| {
        let valid = text.len() <= 253 && text.contains('.') && text.split('.').all(is_label);
        if valid { Ok(text.to_owned()) } else { Err(DomainError) }
    }
}

fn is_label(label: &str) -> bool {
    (1..=63).contains(&label.len())
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

/// The text is not a domain name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a domain: labels of a-z, 0-9 and -, with dots between, in lower case")]
pub struct DomainError;

/// An alias address.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Address {
    /// The part before the `@`.
    pub local_part: LocalPart,
    /// The part after the `@`.
    pub domain: DomainName,
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.local_part, self.domain)
    }
}

impl From<Address> for String {
    fn from(address: Address) -> Self {
        address.to_string()
    }
}

impl TryFrom<String> for Address {
    type Error = AddressError;
    fn try_from(text: String) -> Result<Self, AddressError> {
        let (local_part, domain) = text.rsplit_once('@').ok_or(AddressError)?;
        let local_part = local_part.parse().map_err(|_| AddressError)?;
        Ok(Self { local_part, domain: domain.parse().map_err(|_| AddressError)? })
    }
}

/// The text is not an alias address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an address that we could have given")]
pub struct AddressError;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[rstest::rstest]
    #[case("alice", Ok("alice"))]
    #[case("a.b", Ok("a.b"))]
    #[case("a+b", Err(LocalPartError::SubAddress))]
    #[case("victim+bank", Err(LocalPartError::SubAddress))]
    #[case("postmaster+x", Err(LocalPartError::SubAddress))]
    #[case("alice-merged", Err(LocalPartError::NotChosen))]
    #[case("alice-merged12", Err(LocalPartError::NotChosen))]
    #[case("alice-deactivatedaccount", Err(LocalPartError::NotChosen))]
    #[case("alice-deactivatedaccount3", Err(LocalPartError::NotChosen))]
    #[case("removed1234", Err(LocalPartError::NotChosen))]
    #[case("removed", Ok("removed"))]
    #[case("merged", Ok("merged"))]
    #[case("a..b", Err(LocalPartError::NotADotAtom))]
    #[case("ab.", Err(LocalPartError::NotADotAtom))]
    #[case("postmaster", Err(LocalPartError::Reserved))]
    fn local_parts(#[case] name: &str, #[case] expected: Result<&str, LocalPartError>) {
        let got = LocalPart::of(&PersonName::parse(name).unwrap());
        assert_eq!(got.as_ref().map(LocalPart::as_str), expected.as_ref().map(|text| *text));
    }

    #[test]
    fn upper_case_is_no_local_part() {
        assert_eq!(LocalPart::parse("Alice"), Err(LocalPartError::NotADotAtom));
    }

    #[rstest::rstest]
    #[case(64, true)]
    #[case(65, false)]
    fn length_is_bounded(#[case] length: usize, #[case] fits: bool) {
        assert_eq!(LocalPart::parse(&"a".repeat(length)).is_ok(), fits);
    }

    #[rstest::rstest]
    #[case("ubuntu.com", true)]
    #[case("xn--bcher-kva.example", true)]
    #[case("localhost", false)]
    #[case("Ubuntu.com", false)]
    #[case("ubuntu.com.", false)]
    #[case("-a.com", false)]
    #[case("a_b.com", false)]
    fn domains(#[case] text: &str, #[case] valid: bool) {
        assert_eq!(DomainName::parse(text).is_ok(), valid);
    }

    #[test]
    fn address_parses_its_text() {
        let address = Address::try_from("alice.x@ubuntu.com".to_owned()).unwrap();
        assert_eq!(address.to_string(), "alice.x@ubuntu.com");
        assert_eq!(Address::try_from("alice+x@ubuntu.com".to_owned()), Err(AddressError));
        assert_eq!(Address::try_from("postmaster@ubuntu.com".to_owned()), Err(AddressError));
    }

    proptest! {
        /// Every dot-atom of at most 64 octets that is not reserved is a local part.
        #[test]
        fn valid_names_become_local_parts(atoms in prop::collection::vec("[a-z0-9!#$%&'*/=?^_`{|}~-]{1,20}", 1..6)) {
            let text = atoms.join(".");
            prop_assume!(text.len() <= LOCAL_PART_OCTETS && !is_reserved(&text));
            prop_assert_eq!(LocalPart::parse(&text).map(String::from), Ok(text.clone()));
            if let Ok(name) = PersonName::parse(&text) && !is_assigned(&text) {
                prop_assert_eq!(LocalPart::of(&name).map(String::from), Ok(text.clone()));
            }
        }

        /// The address for any Launchpad name is valid for mail servers.
        #[test]
        fn local_part_is_valid_for_mail(name in "[a-z0-9][a-z0-9+.-]{1,80}") {
            if let Ok(local) = LocalPart::of(&PersonName::parse(&name).unwrap()) {
                let address = format!("{local}@ubuntu.com");
                prop_assert!(email_address::EmailAddress::is_valid(&address));
                prop_assert!(!is_reserved(local.as_str()) && !local.as_str().contains('+'));
                prop_assert_eq!(local.as_str(), name);
            }
        }
    }
}
