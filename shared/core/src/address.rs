//! The addresses that we give: a local part at a domain of the community.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::member::LaunchpadName;
use crate::newtype::checked_string;
use crate::reserved::{is_assigned, is_reserved};

/// Octets of a local part at most (RFC 5321, 4.5.3.1.1).
pub const LOCAL_PART_OCTETS: usize = 64;

checked_string! {
    /// The part before the `@`: a dot-atom (RFC 5322, 3.2.3) in lower case, 64 octets at most, not reserved, without `+`:
    /// a sub-address (RFC 5233) belongs to the owner of the local part before it.
    LocalPart, LocalPartError, |text| {
        let atom = |atom: &str| !atom.is_empty() && atom.bytes().all(is_atext);
        if text.len() > LOCAL_PART_OCTETS {
            Err(LocalPartError::TooLong)
        } else if !text.split('.').all(atom) {
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
    /// The local part that a Launchpad name gives.
    pub fn of(name: &LaunchpadName) -> Result<Self, LocalPartError> {
        let text = name.as_str().to_ascii_lowercase();
        if is_assigned(&text) { Err(LocalPartError::NotChosen) } else { Self::parse(&text) }
    }
}

/// RFC 5322's `atext`, without upper case: we store and compare one case only.
fn is_atext(b: u8) -> bool {
    b.is_ascii_lowercase() || b.is_ascii_digit() || b"!#$%&'*+-/=?^_`{|}~".contains(&b)
}

/// Why a name gives no address. The member is told; only a new name helps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LocalPartError {
    /// Two dots in a row, one at an end, or a character that does not belong.
    #[error("not valid before the @ of an address")]
    NotADotAtom,
    /// More than [`LOCAL_PART_OCTETS`].
    #[error("longer than the 64 characters that an address allows")]
    TooLong,
    /// Kept for those who run the domain.
    #[error("reserved for those who run the domain")]
    Reserved,
    /// It holds a `+`: what follows is a sub-address of another local part, whose owner can be somebody else.
    #[error("not usable, because it holds a +")]
    SubAddress,
    /// Launchpad gave it to a merged, deactivated or closed account.
    #[error("one that Launchpad assigned, not one that you chose")]
    NotChosen,
}

checked_string! {
    /// A domain in lower case, ASCII (an internationalized one in its `xn--` form), two labels at least (RFC 1035, 2.3.1).
    DomainName, DomainError, |text| {
        let label = |l: &str| {
            (1..=63).contains(&l.len())
                && !l.starts_with('-')
                && !l.ends_with('-')
                && l.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        };
        let valid = text.len() <= 253 && text.contains('.') && text.split('.').all(label);
        if valid { Ok(text.to_owned()) } else { Err(DomainError) }
    }
}

/// A text that is no domain of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a domain: labels of a-z, 0-9 and -, with dots between, in lower case")]
pub struct DomainError;

/// An address that we give.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Address {
    /// Before the `@`.
    pub local_part: LocalPart,
    /// After the `@`.
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

/// A text that is no address of ours.
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
        let got = LocalPart::of(&LaunchpadName::parse(name).unwrap());
        assert_eq!(got.as_ref().map(LocalPart::as_str), expected.as_ref().map(|text| *text));
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
    fn an_address_reads_what_it_prints() {
        let address = Address::try_from("alice.x@ubuntu.com".to_owned()).unwrap();
        assert_eq!(address.to_string(), "alice.x@ubuntu.com");
        assert_eq!(Address::try_from("alice+x@ubuntu.com".to_owned()), Err(AddressError));
        assert_eq!(Address::try_from("postmaster@ubuntu.com".to_owned()), Err(AddressError));
    }

    proptest! {
        /// And no name is refused but for a reason that is true of it: what is a dot-atom of 64 octets and not reserved is
        /// a local part.
        #[test]
        fn a_name_that_can_be_an_address_is_one(atoms in prop::collection::vec("[a-z0-9!#$%&'*/=?^_`{|}~-]{1,20}", 1..6)) {
            let text = atoms.join(".");
            prop_assume!(text.len() <= LOCAL_PART_OCTETS && !is_reserved(&text));
            prop_assert_eq!(LocalPart::parse(&text).map(String::from), Ok(text.clone()));
            if let Ok(name) = LaunchpadName::parse(&text) && !is_assigned(&text) {
                prop_assert_eq!(LocalPart::of(&name).map(String::from), Ok(text.clone()));
            }
        }

        /// Whatever Launchpad calls a person, what we make of it is an address that mail servers take.
        #[test]
        fn a_local_part_is_always_mailable(name in "[a-z0-9][a-z0-9+.-]{1,80}") {
            if let Ok(local) = LocalPart::of(&LaunchpadName::parse(&name).unwrap()) {
                let address = format!("{local}@ubuntu.com");
                prop_assert!(email_address::EmailAddress::is_valid(&address));
                prop_assert!(!is_reserved(local.as_str()) && !local.as_str().contains('+'));
                prop_assert_eq!(local.as_str(), name);
            }
        }
    }
}
