//! What goes wrong when it is asked for.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;

/// The key that stands for everybody who has no fault of their own.
const ALL: &str = "*";

/// How answers about somebody go wrong, and which of them.
#[derive(Clone, Debug, Deserialize)]
pub struct Fault<K> {
    /// So many answers are right before.
    #[serde(default)]
    skip: u32,
    /// So many answers are wrong then; all, where it is absent.
    #[serde(default)]
    count: Option<u32>,
    /// In which way.
    #[serde(flatten)]
    kind: K,
}

/// Faults, by the key of the person or team that they are about.
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

/// How Launchpad's answers go wrong.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Launchpad {
    /// Another status than 200.
    Status {
        /// The status.
        status: u16,
        /// Seconds after which to come again, for `Retry-After`.
        retry_after: Option<u32>,
    },
    /// Late.
    Slow {
        /// So late.
        millis: u64,
    },
    /// No JSON.
    Malformed,
    /// A person, or the people of a page, without `is_valid`.
    MissingFlag,
    /// The connection breaks within the body.
    CutShort,
    /// The connection breaks before anything is answered.
    Down,
    /// An answer that is elsewhere.
    Redirect,
    /// A list that goes on at another host.
    ForeignLink,
    /// A list that goes on with a page that was read already.
    RepeatedLink,
    /// A list that is shorter than it says.
    WrongTotal,
    /// A list that says another total on each page.
    ChangingTotal,
    /// A list without anybody.
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
        /// So late.
        millis: u64,
    },
    /// Says of its own assertion that it is not valid.
    Denied,
    /// Says of its own assertion that it is valid as often as it is asked, though it should say so once (11.4.2).
    ConfirmsAgain,
    /// No key-value form.
    Malformed,
    /// The browser comes back as if the person had cancelled.
    Cancel,
    /// The browser comes back with an error.
    Error,
    /// The browser comes back with an answer to a question that asks nobody.
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
    fn a_fault_begins_and_ends_when_it_is_to() {
        let mut faults = Faults::default();
        set(&mut faults, "ubuntumembers", json!({ "kind": "malformed", "skip": 2, "count": 1 }));
        let seen: Vec<_> = (0..5).map(|_| faults.next("ubuntumembers").is_some()).collect();
        assert_eq!(seen, [false, false, true, false, false]);
    }

    #[test]
    fn one_for_all_is_for_those_without_their_own() {
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
    fn a_fault_that_is_not_one_is_refused(#[case] kind: &str) {
        assert!(serde_json::from_value::<Fault<Launchpad>>(json!({ "kind": kind })).is_err());
    }
}
