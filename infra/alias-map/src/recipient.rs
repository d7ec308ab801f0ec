//! Whom a recipient's address can mean: an alias as it stands, the same without a `+tag`, or the domain's admins.

use membermail_core::address::{Address, DomainName, LocalPart};
use membermail_core::email::EmailAddress;
use membermail_core::reserved::is_reserved;

/// What an address at one of our domains stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recipient {
    /// Whoever runs the domain.
    Admins(DomainName),
    /// The first of these that there is.
    Member(Vec<Candidate>),
}

/// An alias that an address can mean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The alias.
    pub address: Address,
    /// What was taken off behind its `+`, as it was written: what becomes of it is the destination's to say.
    pub tag: Option<String>,
}

impl Recipient {
    /// Reads a key of the maps. Nothing comes of what is not at these domains, and of what can be nobody's address:
    /// Postfix asks for whole addresses in any case, and for parts of them in some tables.
    ///
    /// Launchpad names may hold a `+`, so an alias as it stands goes first, then the longest rest. Three at most, so
    /// that an address full of `+` costs no more than others.
    pub fn parse(key: &str, community: &[DomainName]) -> Option<Self> {
        let (local, domain) = key.rsplit_once('@')?;
        let domain = DomainName::parse(&domain.to_ascii_lowercase()).ok().filter(|one| community.contains(one))?;
        if is_reserved(&local.to_ascii_lowercase()) {
            return Some(Self::Admins(domain));
        }
        let mut splits = vec![(local, None)];
        for split in [local.rsplit_once('+'), local.split_once('+')] {
            let split = split.map(|(base, tag)| (base, Some(tag)));
            splits.extend(split.filter(|split| !splits.contains(split)));
        }
        let candidates: Vec<_> = splits
            .into_iter()
            .filter_map(|(base, tag)| {
                let local_part = LocalPart::parse(&base.to_ascii_lowercase()).ok()?;
                Some(Candidate { address: Address { local_part, domain: domain.clone() }, tag: tag.map(str::to_owned) })
            })
            .collect();
        (!candidates.is_empty()).then_some(Self::Member(candidates))
    }
}

/// The destination with the tag put back, where its server is known to take one and it has none of its own.
pub fn with_tag(destination: &EmailAddress, tag: Option<&str>, takes_tags: &[DomainName]) -> EmailAddress {
    let tagged = || {
        let tag = tag.filter(|tag| !tag.is_empty())?;
        let (local, domain) = destination.expose().rsplit_once('@')?;
        let takes = takes_tags.iter().any(|one| one.as_str() == domain) && !local.contains(['+', '"']);
        takes.then(|| EmailAddress::parse(&format!("{local}+{tag}@{domain}")).ok())?
    };
    tagged().unwrap_or_else(|| destination.clone())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn domains(names: &[&str]) -> Vec<DomainName> {
        names.iter().map(|name| DomainName::parse(name).unwrap()).collect()
    }

    fn parse(key: &str) -> Option<Recipient> {
        Recipient::parse(key, &domains(&["ubuntu.com", "kubuntu.org"]))
    }

    #[rstest::rstest]
    #[case::plain("alice@ubuntu.com", &["alice"])]
    #[case::any_case("Alice@Ubuntu.COM", &["alice"])]
    #[case::tag("alice+news@ubuntu.com", &["alice+news", "alice / news"])]
    #[case::tag_of_any_case("Alice+News@ubuntu.com", &["alice+news", "alice / News"])]
    #[case::two_tags("a1+b+c@ubuntu.com", &["a1+b+c", "a1+b / c", "a1 / b+c"])]
    #[case::many("a1+b+c+d+e@ubuntu.com", &["a1+b+c+d+e", "a1+b+c+d / e", "a1 / b+c+d+e"])]
    #[case::empty_tag("alice+@ubuntu.com", &["alice+", "alice / "])]
    #[case::tag_that_is_no_atom("alice+a..b@ubuntu.com", &["alice / a..b"])]
    #[case::tag_of_a_reserved_kind("alice+x-request@ubuntu.com", &["alice+x-request", "alice / x-request"])]
    fn members(#[case] key: &str, #[case] expected: &[&str]) {
        let Some(Recipient::Member(candidates)) = parse(key) else { panic!("{key} is nobody") };
        let shown: Vec<_> = candidates
            .iter()
            .map(|one| {
                let tag = one.tag.as_ref().map(|tag| format!(" / {tag}")).unwrap_or_default();
                format!("{}{tag}", one.address.local_part)
            })
            .collect();
        assert_eq!(shown, expected);
    }

    #[rstest::rstest]
    #[case("postmaster@ubuntu.com")]
    #[case("PostMaster@Ubuntu.Com")]
    #[case("abuse+spam@ubuntu.com")]
    #[case("devel-request@ubuntu.com")]
    fn reserved(#[case] key: &str) {
        assert_eq!(parse(key), Some(Recipient::Admins(domains(&["ubuntu.com"])[0].clone())));
    }

    #[rstest::rstest]
    #[case::foreign("alice@example.org")]
    #[case::below_ours("alice@mail.ubuntu.com")]
    #[case::catch_all("@ubuntu.com")]
    #[case::part("ubuntu.com")]
    #[case::part_of_access("alice@")]
    #[case::nothing("")]
    #[case::quoted("\"alice\"@ubuntu.com")]
    #[case::quoted_at("\"a@b\"@ubuntu.com")]
    #[case::dots("al..ice@ubuntu.com")]
    #[case::not_ascii("älice@ubuntu.com")]
    #[case::literal("alice@[127.0.0.1]")]
    #[case::root_dot("alice@ubuntu.com.")]
    #[case::space("al ice@ubuntu.com")]
    #[case::zero("al\0ice@ubuntu.com")]
    #[case::only_a_tag("+tag@ubuntu.com")]
    fn nobody(#[case] key: &str) {
        match parse(key) {
            None => {}
            // A name may begin with a plus as far as mail goes; that nobody at Launchpad has one is for the table.
            Some(Recipient::Member(candidates)) => {
                assert!(key.starts_with('+') && candidates.iter().all(|one| one.tag.is_none()), "{candidates:?}");
            }
            Some(other) => panic!("{key} is {other:?}"),
        }
    }

    #[rstest::rstest]
    #[case::taken("alice@mail.example", Some("news"), "alice+news@mail.example")]
    #[case::not_known_to_take("alice@other.example", Some("news"), "alice@other.example")]
    #[case::has_one("alice+own@mail.example", Some("news"), "alice+own@mail.example")]
    #[case::empty("alice@mail.example", Some(""), "alice@mail.example")]
    #[case::none("alice@mail.example", None, "alice@mail.example")]
    #[case::no_address("alice@mail.example", Some("a..b"), "alice@mail.example")]
    #[case::injection("alice@mail.example", Some("x,eve@evil.example"), "alice@mail.example")]
    fn tags(#[case] destination: &str, #[case] tag: Option<&str>, #[case] expected: &str) {
        let destination = EmailAddress::parse(destination).unwrap();
        assert_eq!(with_tag(&destination, tag, &domains(&["mail.example"])).expose(), expected);
    }

    proptest! {
        /// Whatever a stranger writes as a recipient, it costs three reads at most and is at a domain of ours.
        #[test]
        fn costs_are_bounded(local in ".{0,80}") {
            if let Some(Recipient::Member(candidates)) = parse(&format!("{local}@ubuntu.com")) {
                prop_assert!((1..=3).contains(&candidates.len()));
                prop_assert!(candidates.iter().all(|one| one.address.domain.as_str() == "ubuntu.com"));
            }
        }

        #[test]
        fn no_key_is_too_odd(key in any::<String>()) {
            parse(&key);
        }
    }
}
