//! What a domain's DNS says about its mail: where it goes (MX), who may send it (SPF), what becomes of the rest (DMARC).
//!
//! None of it decides about addresses. It is shown to those who run the domain, since mail of an alias fares by it.

use serde::{Deserialize, Serialize};

use crate::address::DomainName;
use crate::domain_proof::{Answer, Unanswered};

/// Where mail for the domain goes (RFC 5321, 5.1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum Mx {
    /// To these servers.
    Present {
        /// How many there are.
        servers: u32,
    },
    /// No record: mail goes to the address of the domain itself, if it has one.
    None,
    /// A null MX: the domain says that it takes no mail (RFC 7505, 3). Its aliases get none.
    Null,
    /// DNS said neither.
    Unanswered {
        /// Why.
        why: Unanswered,
    },
}

/// Who may send as the domain (RFC 7208).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum Spf {
    /// One record.
    Present,
    /// No record.
    None,
    /// More than one record, which counts as an error and so as none (4.5).
    Several {
        /// How many there are.
        records: u32,
    },
    /// One record whose own terms ask for more than [`SPF_LOOKUPS`] look-ups, so that it is an error (4.6.4). What they
    /// include in turn is not counted: this finds the plain case, not each one.
    TooManyLookups {
        /// How many its terms ask for.
        lookups: u32,
    },
    /// DNS said neither.
    Unanswered {
        /// Why.
        why: Unanswered,
    },
}

/// Look-ups that one SPF check may take (RFC 7208, 4.6.4).
pub const SPF_LOOKUPS: u32 = 10;

/// What receivers are asked to do with mail that only claims to come from the domain (RFC 7489).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum Dmarc {
    /// One record, of the domain itself or of one that it lies in.
    Present {
        /// What is asked for.
        policy: DmarcPolicy,
        /// Whose record it is. Another one than the domain's own is that of its organizational domain (6.6.3).
        of: DomainName,
    },
    /// No record.
    None,
    /// More than one record, which counts as none (6.6.3).
    Several {
        /// How many there are.
        records: u32,
    },
    /// One record without a policy that can be read.
    Broken,
    /// DNS said neither.
    Unanswered {
        /// Why.
        why: Unanswered,
    },
}

/// The policy of a DMARC record (RFC 7489, 6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DmarcPolicy {
    /// Do nothing.
    None,
    /// Treat it as suspicious.
    Quarantine,
    /// Refuse it.
    Reject,
}

impl DmarcPolicy {
    fn of(text: &str) -> Option<Self> {
        let words = [("none", Self::None), ("quarantine", Self::Quarantine), ("reject", Self::Reject)];
        words.into_iter().find(|(word, _)| text.eq_ignore_ascii_case(word)).map(|(_, policy)| policy)
    }
}

impl Mx {
    /// By the hosts of the MX records, each without its last dot: of a null MX, nothing.
    pub fn of(answer: &Answer<String>) -> Self {
        match answer {
            Answer::Unanswered(why) => Self::Unanswered { why: *why },
            Answer::Missing => Self::None,
            Answer::Records(hosts) if hosts.iter().all(String::is_empty) => Self::Null,
            Answer::Records(hosts) => Self::Present { servers: count(hosts.len()) },
        }
    }
}

/// What DNS said of something; of nothing, where it said neither yes nor no.
pub trait Told {
    /// Whether it said anything.
    fn is_answered(&self) -> bool;
}

impl Told for Mx {
    fn is_answered(&self) -> bool {
        !matches!(self, Self::Unanswered { .. })
    }
}

impl Told for Spf {
    fn is_answered(&self) -> bool {
        !matches!(self, Self::Unanswered { .. })
    }
}

impl Told for Dmarc {
    fn is_answered(&self) -> bool {
        !matches!(self, Self::Unanswered { .. })
    }
}

impl Spf {
    /// By the TXT records of the domain.
    pub fn of(answer: &Answer<String>) -> Self {
        let texts = match answer {
            Answer::Unanswered(why) => return Self::Unanswered { why: *why },
            Answer::Missing => return Self::None,
            Answer::Records(texts) => texts,
        };
        // The version ends at a space or with the record (4.5): `v=spf10` is something else.
        let terms = texts.iter().filter_map(|text| {
            let (version, terms) = text.split_once(' ').unwrap_or((text, ""));
            version.eq_ignore_ascii_case("v=spf1").then_some(terms)
        });
        let terms: Vec<&str> = terms.collect();
        let [terms] = terms[..] else {
            return if terms.is_empty() { Self::None } else { Self::Several { records: count(terms.len()) } };
        };
        let lookups = count(terms.split(' ').filter(|term| costs_a_lookup(term)).count());
        if lookups > SPF_LOOKUPS { Self::TooManyLookups { lookups } } else { Self::Present }
    }
}

/// "include", "a", "mx", "ptr" and "exists" mechanisms and the "redirect" modifier (RFC 7208, 4.6.4).
fn costs_a_lookup(term: &str) -> bool {
    let term = term.to_ascii_lowercase();
    let mechanism = term.trim_start_matches(['+', '-', '~', '?']).split([':', '/']).next().unwrap_or_default();
    ["include", "a", "mx", "ptr", "exists"].contains(&mechanism) || term.starts_with("redirect=")
}

impl Dmarc {
    /// By the TXT records at `_dmarc.` of a domain, for mail of `asked`, which is that domain or lies in it: then what the
    /// record says of subdomains (`sp`) goes first (6.3).
    pub fn of(answer: &Answer<String>, domain: &DomainName, asked: &DomainName) -> Self {
        let texts = match answer {
            Answer::Unanswered(why) => return Self::Unanswered { why: *why },
            Answer::Missing => return Self::None,
            Answer::Records(texts) => texts,
        };
        // The version is the first tag, and its value has this case (6.3); all else is dropped (6.6.3).
        let records: Vec<&String> =
            texts.iter().filter(|text| tags(text).next() == Some(("v".to_owned(), "DMARC1"))).collect();
        let [record] = records[..] else {
            return if records.is_empty() { Self::None } else { Self::Several { records: count(records.len()) } };
        };
        let policy = |tag: &str| tags(record).find(|(name, _)| name == tag).map(|(_, value)| DmarcPolicy::of(value));
        // One that is there and cannot be read spoils the record, whichever it is (6.6.3).
        let policy = match (policy("p"), policy("sp")) {
            (Some(Some(own)), None) => own,
            (Some(Some(own)), Some(Some(_))) if domain == asked => own,
            (Some(Some(_)), Some(Some(below))) => below,
            _ => return Self::Broken,
        };
        Self::Present { policy, of: domain.clone() }
    }
}

/// The tags of a record: `name=value` between semicolons, blanks around each left out.
fn tags(record: &str) -> impl Iterator<Item = (String, &str)> {
    record.split(';').filter_map(|tag| {
        let (name, value) = tag.split_once('=')?;
        Some((name.trim().to_ascii_lowercase(), value.trim()))
    })
}

/// A domain and those that it lies in, from within, down to two labels: where a DMARC record is looked for in turn.
///
/// RFC 7489 takes the organizational domain from a list of public suffixes and asks nobody in between. A record in
/// between says the same to those who run the domain, and at a public suffix nobody of ours has one.
pub fn dmarc_domains(domain: &DomainName) -> Vec<DomainName> {
    let suffixes = domain.as_str().match_indices('.').map(|(dot, _)| &domain.as_str()[dot + 1..]);
    std::iter::once(domain.as_str()).chain(suffixes).filter_map(|name| DomainName::parse(name).ok()).take(4).collect()
}

/// A message of DNS has 65,535 octets, so that it never comes to the end of this.
fn count(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn records(texts: &[&str]) -> Answer<String> {
        Answer::Records(texts.iter().map(|text| (*text).to_owned()).collect())
    }

    fn ubuntu() -> DomainName {
        "ubuntu.com".parse().unwrap()
    }

    #[rstest::rstest]
    #[case(&["mx.ubuntu.com", "mx2.ubuntu.com"], Mx::Present { servers: 2 })]
    #[case(&[""], Mx::Null)]
    fn where_mail_goes(#[case] hosts: &[&str], #[case] mx: Mx) {
        assert_eq!(Mx::of(&records(hosts)), mx);
    }

    #[rstest::rstest]
    #[case::one(&["v=spf1 mx -all"], Spf::Present)]
    #[case::empty(&["v=spf1"], Spf::Present)]
    #[case::upper_case(&["V=SPF1 MX -ALL"], Spf::Present)]
    #[case::among_others(&["hello", "v=spf1 -all", "v=spf10 -all", " v=spf1 -all"], Spf::Present)]
    #[case::none(&["hello", "v=spf2.0/pra -all"], Spf::None)]
    #[case::several(&["v=spf1 -all", "v=spf1 mx -all"], Spf::Several { records: 2 })]
    #[case::ten_lookups(
        &["v=spf1 a mx ptr include:a include:b include:c include:d include:e exists:f a:g ip4:192.0.2.1 -all"],
        Spf::Present
    )]
    #[case::eleven_lookups(
        &["v=spf1 a/24 MX:x ?ptr ~include:a include:b include:c include:d include:e exists:f a:g redirect=h"],
        Spf::TooManyLookups { lookups: 11 }
    )]
    #[case::no_lookups(&["v=spf1 all ip6:2001:db8::/32 exp=a.b all all all all all all all all all all"], Spf::Present)]
    fn who_may_send(#[case] texts: &[&str], #[case] spf: Spf) {
        assert_eq!(Spf::of(&records(texts)), spf);
    }

    #[rstest::rstest]
    #[case::none(&["v=DMARC1; p=none"], Some(DmarcPolicy::None))]
    #[case::reject(&["v=DMARC1;p=reject;rua=mailto:x@y.example"], Some(DmarcPolicy::Reject))]
    #[case::blanks(&["v = DMARC1 ; sp=none ; P = Quarantine ;"], Some(DmarcPolicy::Quarantine))]
    #[case::among_others(&["hello", "p=none; v=DMARC1", "v=DMARC1; p=none"], Some(DmarcPolicy::None))]
    fn what_becomes_of_the_rest(#[case] texts: &[&str], #[case] policy: Option<DmarcPolicy>) {
        let expected = policy.map_or(Dmarc::Broken, |policy| Dmarc::Present { policy, of: ubuntu() });
        assert_eq!(Dmarc::of(&records(texts), &ubuntu(), &ubuntu()), expected);
    }

    #[rstest::rstest]
    #[case::absent(&["v=spf1 -all", "v=DMARC10; p=none", "v=dmarc1; p=none", ""], Dmarc::None)]
    #[case::several(&["v=DMARC1; p=none", "v=DMARC1; p=reject"], Dmarc::Several { records: 2 })]
    #[case::no_policy(&["v=DMARC1; rua=mailto:x@y.example"], Dmarc::Broken)]
    #[case::odd_policy(&["v=DMARC1; p=maybe"], Dmarc::Broken)]
    #[case::odd_policy_of_subdomains(&["v=DMARC1; p=none; sp=maybe"], Dmarc::Broken)]
    #[case::of_subdomains_only(&["v=DMARC1; sp=none"], Dmarc::Broken)]
    fn records_that_say_nothing(#[case] texts: &[&str], #[case] dmarc: Dmarc) {
        assert_eq!(Dmarc::of(&records(texts), &ubuntu(), &ubuntu()), dmarc);
    }

    #[rstest::rstest]
    #[case::as_the_domain_itself("v=DMARC1; p=reject", DmarcPolicy::Reject)]
    #[case::looser("v=DMARC1; p=reject; sp=none", DmarcPolicy::None)]
    #[case::stricter("v=DMARC1; p=none; SP=Quarantine", DmarcPolicy::Quarantine)]
    fn what_a_domain_inherits(#[case] record: &str, #[case] policy: DmarcPolicy) {
        let below = "loco.ubuntu.com".parse().unwrap();
        assert_eq!(Dmarc::of(&records(&[record]), &ubuntu(), &below), Dmarc::Present { policy, of: ubuntu() });
    }

    #[test]
    fn silence_is_told_apart_from_no_record() {
        let (missing, why) = (Answer::Missing, Unanswered::TimedOut);
        let unanswered = Answer::Unanswered(why);
        assert_eq!((Mx::of(&missing), Mx::of(&unanswered)), (Mx::None, Mx::Unanswered { why }));
        assert_eq!((Spf::of(&missing), Spf::of(&unanswered)), (Spf::None, Spf::Unanswered { why }));
        let dmarc = |answer| Dmarc::of(answer, &ubuntu(), &ubuntu());
        assert_eq!((dmarc(&missing), dmarc(&unanswered)), (Dmarc::None, Dmarc::Unanswered { why }));
    }

    #[rstest::rstest]
    #[case("ubuntu.com", &["ubuntu.com"])]
    #[case("mail.loco.ubuntu.com", &["mail.loco.ubuntu.com", "loco.ubuntu.com", "ubuntu.com"])]
    #[case("a.b.c.d.e.f", &["a.b.c.d.e.f", "b.c.d.e.f", "c.d.e.f", "d.e.f"])]
    fn where_dmarc_is_looked_for(#[case] domain: &str, #[case] expected: &[&str]) {
        let domains = dmarc_domains(&domain.parse().unwrap());
        assert_eq!(domains.iter().map(DomainName::as_str).collect::<Vec<_>>(), expected);
    }

    proptest! {
        #[test]
        fn no_record_is_too_odd(texts in prop::collection::vec("(v=spf1|v=DMARC1)?[ -~é;=:]{0,40}", 0..4)) {
            let answer = Answer::Records(texts);
            Spf::of(&answer);
            Dmarc::of(&answer, &ubuntu(), &ubuntu());
            Dmarc::of(&answer, &ubuntu(), &"loco.ubuntu.com".parse().unwrap());
        }
    }
}
