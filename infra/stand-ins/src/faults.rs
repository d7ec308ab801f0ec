//! Faults that a test asks for.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;

/// The key for all who have no fault of their own.
const ALL: &str = "*";

/// How answers about a person or team go wrong, and which of the answers.
#[derive(Clone, Debug, Deserialize)]
pub struct Fault<K> {
    /// The number of answers that are right before.
    #[serde(default)]
    skip: u32,
    /// The number of answers that are wrong then; all, where it is absent.
    #[serde(default)]
    count: Option<u32>,
    /// In which way.
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
    /// From now on.
    pub fn set(&mut self, key: String, fault: Fault<K>) {
        self.0.insert(key, fault);
    }

    /// No more.
    pub fn clear(&mut self, key: &str) {
        self.0.remove(key);
    }

    /// The fault that the next answer about `key` has.
    pub fn next(&mut self, key: &str) -> Option<K> {
        self.next_if(key, |_| true)
    }

    /// The same, where only some kinds are meant; the others wait for their own answers.
    pub fn next_if(&mut self, key: &str, is_meant: impl Fn(&K) -> bool) -> Option<K> {
        let key = if self.0.contains_key(key) { key } else { ALL };
        let fault = self.0.get_mut(key).filter(|fault| is_meant(&fault.kind))?;
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

/// How Launchpad's answers go wrong. launchpad.md, 6, states the statuses; the others are what a client has to survive.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Launchpad {
    /// Another status than 200, as a test wants it: with an OOPS at 503 and without any at others.
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
    /// HTML of a front end, without either.
    FrontEnd {
        /// 403, 500, 502, 503 or 504.
        status: u16,
    },
    /// 404, as for a name that is free.
    NotFound,
    /// 410, as for a suspended account.
    Gone,
    /// A late answer.
    Slow {
        /// The delay.
        millis: u64,
    },
    /// No JSON.
    Malformed,
    /// The entry, or the one in the middle of a page, has a number for its name.
    MalformedEntry,
    /// The entry, or all entries of a page, have the redacted text in this field. launchpad.md, 1: any value can be it.
    Redacted {
        /// The field.
        field: String,
    },
    /// The entry, or all entries of a page, are without `is_valid`.
    MissingFlag,
    /// The connection breaks within the body.
    CutShort,
    /// The connection breaks before anything is answered.
    Down,
    /// A redirect to another path.
    Redirect,
    /// A list that goes on at another host.
    ForeignLink,
    /// A list that goes on with a page that was read already.
    RepeatedLink,
    /// A list that is shorter than it says.
    WrongTotal,
    /// A list that says another total on each page.
    ChangingTotal,
    /// A list without any entries.
    EmptyTeam,
    /// A page without some of its entries, though the total counts them.
    ShortPage {
        /// How many are missing; one, where it is absent.
        missing: Option<usize>,
    },
}

/// How the provider goes wrong.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Provider {
    /// Another status than 200 to the relying party.
    Status {
        /// The status.
        status: u16,
    },
    /// Late to the relying party.
    Slow {
        /// The delay.
        millis: u64,
    },
    /// Says of its own assertion that it is not valid.
    Denied,
    /// Confirms its own assertion as often as it is asked. launchpad.md, 9: the real one does so once.
    ConfirmsAgain,
    /// No key-value form.
    Malformed,
    /// The browser comes back as if the person had cancelled.
    Cancel,
    /// The browser comes back with an error.
    Error,
    /// The browser comes back with the answer to `checkid_immediate`.
    SetupNeeded,
}

impl Launchpad {
    /// How long it waits first.
    pub fn delay(&self) -> Duration {
        match self {
            Self::Slow { millis } => Duration::from_millis(*millis),
            _ => Duration::ZERO,
        }
    }
}

impl Provider {
    /// Whether the browser sees it; the others are for the relying party's own requests.
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
    fn fault_begins_and_ends_as_asked() {
        let mut faults = Faults::default();
        set(&mut faults, "ubuntumembers", json!({ "kind": "malformed", "skip": 2, "count": 1 }));
        let seen: Vec<_> = (0..5).map(|_| faults.next("ubuntumembers").is_some()).collect();
        assert_eq!(seen, [false, false, true, false, false]);
    }

    #[test]
    fn fault_for_all_spares_own_faults() {
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
    fn fault_is_refused_when_unknown(#[case] kind: &str) {
        assert!(serde_json::from_value::<Fault<Launchpad>>(json!({ "kind": kind })).is_err());
    }
}
