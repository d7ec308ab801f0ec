//! Parsing of recipient addresses: an alias, with or without a subaddress (`+tag`), or the admins of a domain.

use std::borrow::Cow;

use membermail_core::address::{Address, DomainName, LocalPart};
use membermail_core::dot_atom::is_dot_atom;
use membermail_core::email::EmailAddress;
use membermail_core::reserved::is_reserved;

/// The recipient that an address of our domains names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recipient {
    /// The admins of the domain, by a reserved local part such as `postmaster`.
    Admins(DomainName),
    /// The owner of an alias.
    Member {
        /// The alias.
        alias: Address,
        /// The text after the first `+`, unchanged: the destination's server interprets it.
        tag: Option<String>,
    },
}

impl Recipient {
    /// Parses a key of the maps. Returns `None` for other domains and for keys that are no address: Postfix looks up
    /// addresses in any case, and in some tables also parts of them.
    ///
    /// The text before the first `+` is always the alias. A subaddress (RFC 5233) belongs to the owner of that local part,
    /// so that no member can get an address that looks like a tag of another.
    ///
    /// Only a dot-atom names a recipient. Postfix's smtpd looks a local part up without quotes and its cleanup with them; the
    /// two keys differ for anything else, so smtpd would accept mail that cleanup then bounces to a forged sender. For the
    /// same reason quotes are never removed here.
    pub fn parse(key: &str, community: &[DomainName]) -> Option<Self> {
        let (local, domain) = key.rsplit_once('@').filter(|(local, _)| is_dot_atom(local))?;
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

/// Local parts at the names of this host that reach the operators, beside `mailer-daemon`, where our reports come from: a
/// server accepts mail to `postmaster` (RFC 5321, 4.5.1) and `abuse` (RFC 2142, section 2).
const OPERATORS: [&str; 3] = ["abuse", "mailer-daemon", "postmaster"];

/// Whether mail to this local part at a name of this host goes to the operators, in any case and with any tag.
pub fn is_for_operators(local_part: &str) -> bool {
    let base = local_part.split('+').next().unwrap_or(local_part).to_ascii_lowercase();
    is_dot_atom(local_part) && OPERATORS.contains(&base.as_str())
}

/// Adds the tag to a destination whose server supports subaddresses, unless the destination has a tag of its own.
pub fn append_tag<'a>(destination: &'a str, tag: Option<&str>, subaddress_domains: &[DomainName]) -> Cow<'a, str> {
    tagged(destination, tag, subaddress_domains).map_or(Cow::Borrowed(destination), Cow::Owned)
}

fn tagged(destination: &str, tag: Option<&str>, subaddress_domains: &[DomainName]) -> Option<String> {
    let tag = tag.filter(|tag| !tag.is_empty())?;
    let (local, domain) = subaddressable(destination, subaddress_domains)?;
    let tagged = format!("{local}+{tag}@{domain}");
    (!local.contains('+') && EmailAddress::parse(&tagged).is_ok()).then_some(tagged)
}

/// Removes the tag of an address at a server that supports subaddresses.
pub fn without_tag<'a>(address: &'a str, subaddress_domains: &[DomainName]) -> Cow<'a, str> {
    let parts = subaddressable(address, subaddress_domains);
    match parts.and_then(|(local, domain)| Some((local.split_once('+')?.0, domain))) {
        Some((base, domain)) => Cow::Owned(format!("{base}@{domain}")),
        None => Cow::Borrowed(address),
    }
}

/// The parts of an address at a server that supports subaddresses.
fn subaddressable<'a>(address: &'a str, subaddress_domains: &[DomainName]) -> Option<(&'a str, &'a str)> {
    let (local, domain) = address.rsplit_once('@')?;
    let is_supported = subaddress_domains.iter().any(|one| one.as_str() == domain) && !local.contains('"');
    is_supported.then_some((local, domain))
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
    #[case::tag_with_dots("alice+.a.b@ubuntu.com", "alice", Some(".a.b"))]
    #[case::tag_of_a_reserved_kind("alice+x-request@ubuntu.com", "alice", Some("x-request"))]
    #[case::tag_of_a_reserved_name("alice+postmaster@ubuntu.com", "alice", Some("postmaster"))]
    fn member_owns_part_before_plus(#[case] key: &str, #[case] base: &str, #[case] expected: Option<&str>) {
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
    #[case::dot_before_tag("alice.+x@ubuntu.com")]
    #[case::reserved_with_dot_before_tag("srs0=a.+x@ubuntu.com")]
    fn invalid_address_has_no_recipient(#[case] key: &str) {
        assert_eq!(parse(key), None);
    }

    #[rstest::rstest]
    #[case::supported("alice@mail.example", Some("news"), "alice+news@mail.example")]
    #[case::not_supported("alice@other.example", Some("news"), "alice@other.example")]
    #[case::has_own_tag("alice+own@mail.example", Some("news"), "alice+own@mail.example")]
    #[case::empty("alice@mail.example", Some(""), "alice@mail.example")]
    #[case::none("alice@mail.example", None, "alice@mail.example")]
    #[case::no_address("alice@mail.example", Some("a..b"), "alice@mail.example")]
    #[case::injection("alice@mail.example", Some("x,eve@evil.example"), "alice@mail.example")]
    fn tag_is_appended_if_supported(#[case] destination: &str, #[case] tag: Option<&str>, #[case] expected: &str) {
        assert_eq!(append_tag(destination, tag, &domains(&["mail.example"])), expected);
    }

    #[rstest::rstest]
    #[case::supported("alice+news@mail.example", "alice@mail.example")]
    #[case::two_tags("alice+a+b@mail.example", "alice@mail.example")]
    #[case::no_tag("alice@mail.example", "alice@mail.example")]
    #[case::not_supported("alice+news@other.example", "alice+news@other.example")]
    #[case::quoted("\"alice+news\"@mail.example", "\"alice+news\"@mail.example")]
    #[case::no_address("alice+news", "alice+news")]
    fn tag_is_removed_if_supported(#[case] address: &str, #[case] expected: &str) {
        assert_eq!(without_tag(address, &domains(&["mail.example"])), expected);
    }

    #[rstest::rstest]
    #[case("postmaster", true)]
    #[case("Abuse+spam", true)]
    #[case("MAILER-DAEMON", true)]
    #[case("hostmaster", false)]
    #[case("postmaster+a..b", false)]
    #[case("\"postmaster\"", false)]
    fn host_has_few_role_addresses(#[case] local_part: &str, #[case] expected: bool) {
        assert_eq!(is_for_operators(local_part), expected);
    }

    /// Postfix's `is_822_dot_string`, from its list of the characters that need quotes.
    fn needs_no_quotes(local: &str) -> bool {
        let is_special = |c: char| !c.is_ascii() || c.is_ascii_control() || " ()<>@,;:\\\"[]".contains(c);
        !local.contains(is_special) && !format!(".{local}.").contains("..")
    }

    /// Postfix's `quote_822_local`.
    fn quoted(local: &str) -> String {
        if needs_no_quotes(local) {
            return local.to_owned();
        }
        format!("\"{}\"", local.replace('\\', "\\\\").replace('"', "\\\""))
    }

    /// Local parts of all kinds, most of them near to one that has a recipient.
    fn local_parts() -> impl Strategy<Value = String> {
        let whole = "alice|Postmaster|bounce|ssl|srs0=a|x-request|owner-x|\\.|\\+|\\PC| |\"|\\\\|@|\t|é";
        prop_oneof![prop::collection::vec(whole, 0..5).prop_map(|parts| parts.concat()), ".{0,20}"]
    }

    proptest! {
        /// What smtpd accepts, cleanup finds.
        #[test]
        fn quoted_form_has_same_recipient(local in local_parts()) {
            let plain = parse(&format!("{local}@ubuntu.com"));
            prop_assert!(plain.is_none() || needs_no_quotes(&local));
            prop_assert_eq!(plain, parse(&format!("{}@ubuntu.com", quoted(&local))));
        }

        /// For any recipient, the alias is at a domain of ours and is the text before the first `+`.
        #[test]
        fn alias_is_text_before_plus(local in ".{0,80}") {
            if let Some(Recipient::Member { alias, tag }) = parse(&format!("{local}@ubuntu.com")) {
                prop_assert_eq!(alias.domain.as_str(), "ubuntu.com");
                let tag = tag.map(|tag| format!("+{tag}")).unwrap_or_default();
                let whole = format!("{}{tag}", alias.local_part);
                prop_assert!(whole.eq_ignore_ascii_case(&local));
            }
        }

        #[test]
        fn any_key_parses_without_panic(key in any::<String>()) {
            parse(&key);
        }
    }
}
