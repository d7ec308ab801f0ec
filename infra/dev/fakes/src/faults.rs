//! Fault injection for tests.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;

/// The key for everyone without a specific fault.
const ALL: &str = "*";

/// A fault in the responses about a person or team.
#[derive(Clone, Debug, Deserialize)]
pub struct Fault<K> {
    /// Number of correct responses before the fault.
    #[serde(default)]
    skip: u32,
    /// Number of faulty responses; unlimited if absent.
    #[serde(default)]
    count: Option<u32>,
    /// The kind of fault.
    #[serde(flatten)]
    kind: K,
}

/// Faults, by the key of their person or team.
#[derive(Clone, Debug)]
pub struct Faults<K>(BTreeMap<String, Fault<K>>);

impl<K> Default for Faults<K> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<K: Clone> Faults<K> {
    /// Injects a fault.
    pub fn set(&mut self, key: String, fault: Fault<K>) {
        self.0.insert(key, fault);
    }

    /// Removes a fault.
    pub fn clear(&mut self, key: &str) {
        self.0.remove(key);
    }

    /// The fault of the next response about `key`.
    pub fn next(&mut self, key: &str) -> Option<K> {
        self.next_if(key, |_| true)
    }

    /// Like [`next`](Self::next), but only for some kinds; other faults stay for their own responses.
    pub fn next_if(&mut self, key: &str, matches: impl Fn(&K) -> bool) -> Option<K> {
        let key = if self.0.contains_key(key) { key } else { ALL };
        let fault = self.0.get_mut(key).filter(|fault| matches(&fault.kind))?;
        if fault.skip > 0 {
            fault.skip -= 1;
            return None;
        }
        let kind = fault.kind.clone();
        if let Some(count) = &mut fault.count {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.0.remove(key);
            }
        }
        Some(kind)
    }
}

/// Faults of Launchpad. launchpad.md, 6, documents the statuses; a client must also survive the other faults.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Launchpad {
    /// Any status other than 200; 503 has an OOPS.
    Status {
        /// The status.
        status: u16,
        /// The value of `Retry-After` in seconds.
        retry_after: Option<u32>,
    },
    /// 500, `text/plain`, with an OOPS.
    Oops,
    /// 503, HTML, with an OOPS and `Retry-After: 900`.
    Timeout,
    /// 503, HTML, with an OOPS and without `Retry-After`.
    DatabaseAway,
    /// HTML of a front-end server, without OOPS and `Retry-After`.
    FrontEnd {
        /// 403, 500, 502, 503 or 504.
        status: u16,
    },
    /// 404, as for an unused name.
    NotFound,
    /// 410, as for a suspended account.
    Gone,
    /// A delayed response.
    Slow {
        /// The delay.
        millis: u64,
    },
    /// A body that is not JSON.
    Malformed,
    /// The entry, or the middle entry of a page, has a number as its name.
    MalformedEntry,
    /// The entry, or all entries of a page, have the redacted text in this field. launchpad.md, 1: any value can be
    /// redacted.
    Redacted {
        /// The field.
        field: String,
    },
    /// The entry, or all entries of a page, lack `is_valid`.
    MissingFlag,
    /// The connection closes within the body.
    CutShort,
    /// The connection closes before the response.
    Down,
    /// A redirect to another path.
    Redirect,
    /// The link to the next page leads to another host.
    ForeignLink,
    /// The link to the next page leads to a previous page.
    RepeatedLink,
    /// A list with fewer entries than its total.
    WrongTotal,
    /// A list whose total differs on each page.
    ChangingTotal,
    /// A list without any entries.
    EmptyTeam,
    /// A page that lacks entries which the total includes.
    ShortPage {
        /// Number of missing entries; 1 if absent.
        missing: Option<usize>,
    },
}

/// Faults of the provider.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Provider {
    /// A status other than 200 for the relying party.
    Status {
        /// The status.
        status: u16,
    },
    /// A delayed response to the relying party.
    Slow {
        /// The delay.
        millis: u64,
    },
    /// Reports its own assertion as invalid.
    Denied,
    /// Confirms its own assertion any number of times. launchpad.md, 9: the real provider confirms it once.
    ConfirmsAgain,
    /// A body that is not in key-value form.
    Malformed,
    /// The browser returns as if the person had cancelled.
    Cancel,
    /// The browser returns with an error.
    Error,
    /// The browser returns with `setup_needed`, the response to `checkid_immediate`.
    SetupNeeded,
}

impl Launchpad {
    /// Delay before the response.
    pub fn delay(&self) -> Duration {
        match self {
            Self::Slow { millis } => Duration::from_millis(*millis),
            _ => Duration::ZERO,
        }
    }
}

impl Provider {
    /// Whether the fault affects the browser, and not the relying party's direct requests.
    pub fn is_indirect(&self) -> bool {
        matches!(self, Self::Cancel | Self::Error | Self::SetupNeeded)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn set(faults: &mut Faults<Launchpad>, key: &str, fault: serde_json::Value) {
        faults.set(key.to_owned(), serde_json::from_value(fault).unwrap());
    }

    #[test]
    fn fault_respects_skip_and_count() {
        let mut faults = Faults::default();
        set(&mut faults, "ubuntumembers", json!({ "kind": "malformed", "skip": 2, "count": 1 }));
        let seen: Vec<_> = (0..5).map(|_| faults.next("ubuntumembers").is_some()).collect();
        assert_eq!(seen, [false, false, true, false, false]);
    }

    #[test]
    fn specific_fault_has_precedence() {
        let mut faults = Faults::default();
        set(&mut faults, "*", json!({ "kind": "status", "status": 503, "retry_after": 7 }));
        set(&mut faults, "alice", json!({ "kind": "short-page" }));
        assert_eq!(faults.next("alice"), Some(Launchpad::ShortPage { missing: None }));
        assert_eq!(faults.next("bob"), Some(Launchpad::Status { status: 503, retry_after: Some(7) }));
        faults.clear("*");
        assert_eq!(faults.next("bob"), None);
    }

    #[rstest::rstest]
    #[case("no-such-kind")]
    #[case("status")]
    fn invalid_fault_is_rejected(#[case] kind: &str) {
        assert!(serde_json::from_value::<Fault<Launchpad>>(json!({ "kind": kind })).is_err());
    }
}
