//! The mail records of a domain: MX, SPF and DMARC.
//!
//! They do not affect addresses. Operators see them, because they decide whether mail of an alias arrives.

mod dmarc;

use serde::{Deserialize, Serialize};
use strum::EnumIs;

pub use self::dmarc::{Dmarc, DmarcPolicy, DmarcWalk};
use crate::domain_proof::{DnsAnswer, Unanswered};

/// The MX records of a domain (RFC 5321, 5.1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, EnumIs)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum Mx {
    /// The domain has MX records.
    Present {
        /// Number of records.
        servers: u32,
    },
    /// No record: mail goes to the A or AAAA record of the domain, if any.
    None,
    /// A null MX: the domain accepts no mail (RFC 7505, 3), so its aliases get none.
    Null,
    /// No usable answer.
    Unanswered {
        /// The reason.
        why: Unanswered,
    },
}

/// The SPF record of a domain (RFC 7208).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, EnumIs)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum Spf {
    /// One record.
    Present,
    /// No record.
    None,
    /// More than one record, which is a permanent error (4.5).
    Several {
        /// Number of records.
        records: u32,
    },
    /// One record whose terms need more than [`SPF_LOOKUPS`] look-ups, which is a permanent error (4.6.4). Look-ups of
    /// included records are not counted.
    TooManyLookups {
        /// Look-ups of its terms.
        lookups: u32,
    },
    /// No usable answer.
    Unanswered {
        /// The reason.
        why: Unanswered,
    },
}

/// Maximum look-ups of an SPF check (RFC 7208, 4.6.4).
pub const SPF_LOOKUPS: u32 = 10;

impl Mx {
    /// Evaluates MX records: hosts without the trailing dot; empty for a null MX.
    pub fn of(answer: &DnsAnswer<String>) -> Self {
        match answer {
            DnsAnswer::Unanswered(why) => Self::Unanswered { why: *why },
            DnsAnswer::Missing => Self::None,
            DnsAnswer::Records(hosts) if hosts.iter().all(String::is_empty) => Self::Null,
            DnsAnswer::Records(hosts) => Self::Present { servers: count(hosts.len()) },
        }
    }
}

impl Spf {
    /// Evaluates the TXT records of the domain.
    pub fn of(answer: &DnsAnswer<String>) -> Self {
        let texts = match answer {
            DnsAnswer::Unanswered(why) => return Self::Unanswered { why: *why },
            DnsAnswer::Missing => return Self::None,
            DnsAnswer::Records(texts) => texts,
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

/// A DNS message has at most 65,535 octets, so the conversion never saturates.
fn count(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn records(texts: &[&str]) -> DnsAnswer<String> {
        DnsAnswer::Records(texts.iter().map(|text| (*text).to_owned()).collect())
    }

    #[rstest::rstest]
    #[case(&["mx.ubuntu.com", "mx2.ubuntu.com"], Mx::Present { servers: 2 })]
    #[case(&[""], Mx::Null)]
    fn mx_records_are_counted(#[case] hosts: &[&str], #[case] mx: Mx) {
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
    fn spf_record_is_evaluated(#[case] texts: &[&str], #[case] spf: Spf) {
        assert_eq!(Spf::of(&records(texts)), spf);
    }

    #[test]
    fn timeout_differs_from_missing_record() {
        let why = Unanswered::TimedOut;
        let answers = [DnsAnswer::Missing, DnsAnswer::Unanswered(why)];
        assert_eq!(answers.each_ref().map(Mx::of), [Mx::None, Mx::Unanswered { why }]);
        assert_eq!(answers.each_ref().map(Spf::of), [Spf::None, Spf::Unanswered { why }]);
    }

    proptest! {
        #[test]
        fn any_record_is_evaluated(texts in prop::collection::vec("(v=spf1)?[ -~é;=:]{0,40}", 0..4)) {
            let answer = DnsAnswer::Records(texts);
            Spf::of(&answer);
        }
    }
}
