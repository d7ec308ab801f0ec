//! What a recipient's address stands for: an alias, with or without a tag behind its `+`, or the domain's admins.

use membermail_core::address::{Address, DomainName, LocalPart};
use membermail_core::email::EmailAddress;
use membermail_core::reserved::is_reserved;

/// What an address at one of our domains stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recipient {
    /// Those who run the domain.
    Admins(DomainName),
    /// The owner of an alias.
    Member {
        /// The alias.
        alias: Address,
        /// The part behind the first `+`, as it was written: the destination decides what it means.
        tag: Option<String>,
    },
}

impl Recipient {
    /// Reads a key of the maps. Keys outside these domains, and keys that cannot be an address, give nothing: Postfix asks
    /// for whole addresses in any case, and for parts of them in some tables.
    ///
    /// The part before the first `+` is the alias, always: a sub-address (RFC 5233) belongs to the owner of the local part
    /// before it, so that no member can get an address that looks like a tag of another.
    pub fn parse(key: &str, community: &[DomainName]) -> Option<Self> {
        let (local, domain) = key.rsplit_once('@')?;
        let domain = DomainName::parse(&domain.to_ascii_lowercase()).ok().filter(|one| community.contains(one))?;
        let (base, tag) = local.split_once('+').map_or((local, None), |(base, tag)| (base, Some(tag)));
        let base = base.to_ascii_lowercase();
        if is_reserved(&base) {
            return Some(Self::Admins(domain));
        }
        let local_part = LocalPart::parse(&base).ok()?;
        Some(Self::Member { alias: Address { local_part, domain }, tag: tag.map(str::to_owned) })
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
    #[case::plain("alice@ubuntu.com", "alice", None)]
    #[case::any_case("Alice@Ubuntu.COM", "alice", None)]
    #[case::tag("alice+news@ubuntu.com", "alice", Some("news"))]
    #[case::owner_of_the_base("victim+bank@ubuntu.com", "victim", Some("bank"))]
    #[case::tag_of_any_case("Alice+News@ubuntu.com", "alice", Some("News"))]
    #[case::two_tags("a1+b+c@ubuntu.com", "a1", Some("b+c"))]
    #[case::empty_tag("alice+@ubuntu.com", "alice", Some(""))]
    #[case::tag_that_is_no_atom("alice+a..b@ubuntu.com", "alice", Some("a..b"))]
    #[case::tag_of_a_reserved_kind("alice+x-request@ubuntu.com", "alice", Some("x-request"))]
    #[case::tag_of_a_reserved_name("alice+postmaster@ubuntu.com", "alice", Some("postmaster"))]
    fn member_is_the_part_before_plus(#[case] key: &str, #[case] base: &str, #[case] expected: Option<&str>) {
        let Some(Recipient::Member { alias, tag }) = parse(key) else { panic!("{key} is no member's") };
        assert_eq!((alias.local_part.as_str(), tag.as_deref()), (base, expected));
    }

    #[rstest::rstest]
    #[case("postmaster@ubuntu.com")]
    #[case("PostMaster@Ubuntu.Com")]
    #[case("abuse+spam@ubuntu.com")]
    #[case("devel-request@ubuntu.com")]
    #[case("devel-request+x@ubuntu.com")]
    fn reserved_name_reaches_admins(#[case] key: &str) {
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
    #[case::quoted_tag("alice+\"x@ubuntu.com\"@example.org")]
    fn impossible_address_means_nothing(#[case] key: &str) {
        assert_eq!(parse(key), None);
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
        /// Whatever a stranger writes as a recipient, the alias is at a domain of ours and is the text before the first `+`.
        #[test]
        fn alias_is_ours_without_plus(local in ".{0,80}") {
            if let Some(Recipient::Member { alias, tag }) = parse(&format!("{local}@ubuntu.com")) {
                prop_assert_eq!(alias.domain.as_str(), "ubuntu.com");
                let tag = tag.map(|tag| format!("+{tag}")).unwrap_or_default();
                let whole = format!("{}{tag}", alias.local_part);
                prop_assert!(whole.eq_ignore_ascii_case(&local));
            }
        }

        #[test]
        fn any_key_can_be_parsed(key in any::<String>()) {
            parse(&key);
        }
    }
}
