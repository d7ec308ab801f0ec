//! The DMARC policy of a domain (RFC 9989), found by a walk of the DNS tree.

use serde::{Deserialize, Serialize};
use strum::{Display, EnumIs, EnumString};
use url::Url;

use super::count;
use crate::address::DomainName;
use crate::domain_proof::{DnsAnswer, Unanswered};

/// The DMARC policy of a domain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, EnumIs)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum Dmarc {
    /// A record of the domain, of its organizational domain or of its public suffix domain.
    Present {
        /// The policy for mail of the domain.
        policy: DmarcPolicy,
        /// The domain of the record. It can be a top-level domain, which is no [`DomainName`].
        of: String,
    },
    /// No record.
    None,
    /// The domain itself has more than one record, which count as none (4.10).
    Several {
        /// Number of records.
        records: u32,
    },
    /// The record that applies has no valid policy, and no address for reports that would make it `none` (4.10.1).
    Broken,
    /// No usable answer.
    Unanswered {
        /// The reason.
        why: Unanswered,
    },
}

/// The policy of a DMARC record (RFC 9989, 4.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Display, EnumString)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case", ascii_case_insensitive)]
pub enum DmarcPolicy {
    /// `none`: no preference.
    None,
    /// `quarantine`: treat as suspicious.
    Quarantine,
    /// `reject`.
    Reject,
}

/// Maximum labels of a parent domain that is queried, so that no walk has more than eight queries (RFC 9989, 4.10).
const PARENT_LABELS: usize = 7;

/// A walk from a domain up the DNS tree (RFC 9989, 4.10). Each answer determines the next query.
#[derive(Clone, Debug)]
pub struct DmarcWalk<'a> {
    domain: &'a str,
    next: Option<&'a str>,
    /// Names with one record, the longest first.
    records: Vec<(&'a str, Record)>,
    /// Ends the walk without a policy.
    failure: Option<Dmarc>,
}

impl<'a> DmarcWalk<'a> {
    /// Starts at the domain itself.
    pub fn new(domain: &'a DomainName) -> Self {
        let domain = domain.as_str();
        Self { domain, next: Some(domain), records: Vec::new(), failure: None }
    }

    /// The name whose TXT records are to be queried next, below `_dmarc`.
    pub fn next_name(&self) -> Option<&'a str> {
        self.next
    }

    /// Takes the answer of the last query.
    pub fn answer(&mut self, answer: &DnsAnswer<String>) {
        let Some(name) = self.next.take() else { return };
        let texts = match answer {
            DnsAnswer::Unanswered(why) => {
                self.failure = Some(Dmarc::Unanswered { why: *why });
                return;
            }
            DnsAnswer::Missing => &Vec::new(),
            DnsAnswer::Records(texts) => texts,
        };
        let mut records: Vec<_> = texts.iter().filter_map(|text| Record::parse(text)).collect();
        if records.len() > 1 && name == self.domain {
            self.failure = Some(Dmarc::Several { records: count(records.len()) });
            return;
        }
        if records.len() == 1
            && let Some(record) = records.pop()
        {
            // The domain's own record applies, wherever its organizational domain is.
            let is_last = name == self.domain || record.psd.is_some();
            self.records.push((name, record));
            if is_last {
                return;
            }
        }
        self.next = parents(name).find(|parent| parent.split('.').count() <= PARENT_LABELS);
    }

    /// The result, once there is no further query: the record of the domain, of its organizational domain or of its public
    /// suffix domain (4.10.1).
    pub fn result(&self) -> Dmarc {
        if let Some(failure) = &self.failure {
            return failure.clone();
        }
        // The organizational domain has the shortest name (4.10.2); below a public suffix it is one label longer.
        let Some((top, last)) = self.records.last() else { return Dmarc::None };
        let organizational = match last.psd {
            Some(Psd::Yes) => {
                std::iter::once(self.domain).chain(parents(self.domain)).find(|name| parents(name).next() == Some(*top))
            }
            Some(Psd::No) | None => Some(*top),
        };
        let applies = self.records.iter().find(|(name, _)| Some(*name) == organizational);
        let (of, record) = applies.unwrap_or(&self.records[self.records.len() - 1]);
        match record.policy(*of == self.domain) {
            Some(policy) => Dmarc::Present { policy, of: (*of).to_owned() },
            None => Dmarc::Broken,
        }
    }
}

/// The parent domains, the longest first.
fn parents(name: &str) -> impl Iterator<Item = &str> {
    name.match_indices('.').map(|(dot, _)| &name[dot + 1..])
}

/// A DMARC record (RFC 9989, 4.7). Removed and unknown tags, such as `pct`, are ignored.
#[derive(Clone, Debug)]
struct Record {
    own: Option<Tag>,
    subdomains: Option<Tag>,
    nonexistent: Option<Tag>,
    is_test: bool,
    psd: Option<Psd>,
    has_reports: bool,
}

/// A policy tag; `None` if its value is invalid.
type Tag = Option<DmarcPolicy>;

/// Whether a domain is a public suffix. Without the tag, the walk decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Psd {
    Yes,
    No,
}

impl Record {
    /// Parses a TXT record. The first tag must be the version, whose value has this case; other texts are dropped.
    fn parse(text: &str) -> Option<Self> {
        let mut tags = text.split(';').map(|tag| {
            let (name, value) = tag.split_once('=').unwrap_or((tag, ""));
            (name.trim().to_ascii_lowercase(), value.trim())
        });
        if tags.next() != Some(("v".to_owned(), "DMARC1")) {
            return None;
        }
        let tags: Vec<_> = tags.collect();
        let value = |name: &str| tags.iter().find(|(tag, _)| tag == name).map(|(_, value)| *value);
        let policy = |name: &str| value(name).map(|value| value.parse().ok());
        Some(Self {
            own: policy("p"),
            subdomains: policy("sp"),
            nonexistent: policy("np"),
            is_test: value("t").is_some_and(|value| value.eq_ignore_ascii_case("y")),
            psd: match value("psd") {
                Some("y" | "Y") => Some(Psd::Yes),
                Some("n" | "N") => Some(Psd::No),
                _ => None,
            },
            has_reports: value("rua").is_some_and(|list| list.split(',').any(|uri| Url::parse(uri.trim()).is_ok())),
        })
    }

    /// The policy for mail of the record's domain or of an existing subdomain, or `None` if the record counts as none.
    fn policy(&self, is_own: bool) -> Option<DmarcPolicy> {
        let declared = match (self.own, self.subdomains, self.nonexistent) {
            (Some(Some(own)), Some(Some(subdomains)), None | Some(Some(_))) => {
                if is_own {
                    own
                } else {
                    subdomains
                }
            }
            (Some(Some(own)), None, None | Some(Some(_))) => own,
            _ if self.has_reports => DmarcPolicy::None,
            _ => return None,
        };
        Some(match declared {
            DmarcPolicy::Reject if self.is_test => DmarcPolicy::Quarantine,
            DmarcPolicy::Quarantine if self.is_test => DmarcPolicy::None,
            policy => policy,
        })
    }
}

#[cfg(test)]
mod tests;
