//! A fake membership source: accounts with identities, names and fingerprints, and one team.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard};

use async_trait::async_trait;
use jiff::SignedDuration;
use membermail_core::clock::ManualClock;
use membermail_core::eligibility::{Account, Group, Person};
use membermail_core::member::{Fingerprint, Identity, PersonName, TeamName};
use membermail_core::roster::RosterEntry;
use membermail_membership::{Error, PageCursor, RosterPage, Source};

/// The creation date that many accounts of 2005 share.
pub(crate) const SHARED: Fingerprint = Fingerprint(1_118_127_600_000_000);
/// The fingerprint of the team.
pub(crate) const TEAM: Fingerprint = Fingerprint(42);

/// An account.
#[derive(Clone)]
pub(crate) struct Profile {
    pub(crate) name: String,
    pub(crate) fingerprint: Fingerprint,
    pub(crate) account: Account,
    pub(crate) signed: bool,
    pub(crate) in_team: bool,
    /// The last path segments of its identities.
    pub(crate) words: Vec<String>,
}

impl Profile {
    /// An active account in the team, with an identity of the same name.
    pub(crate) fn new(name: &str, fingerprint: i64) -> Self {
        Self {
            name: name.to_owned(),
            fingerprint: Fingerprint(fingerprint),
            account: Account::Active,
            signed: true,
            in_team: true,
            words: vec![name.to_owned()],
        }
    }

    fn name(&self) -> PersonName {
        PersonName::parse(&self.name).unwrap()
    }

    fn person(&self) -> Person {
        Person {
            name: self.name(),
            fingerprint: self.fingerprint,
            account: self.account,
            signed_code_of_conduct: self.signed,
        }
    }

    fn entry(&self, is_stale: bool) -> RosterEntry {
        RosterEntry {
            name: self.name(),
            fingerprint: self.fingerprint,
            is_valid: is_stale || self.account == Account::Active,
            signed_code_of_conduct: is_stale || self.signed,
        }
    }
}

/// A fault in place of a page.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The request fails.
    Fails,
    /// The request never completes.
    Hangs,
}

/// The state that tests change, and the recorded requests.
#[derive(Default)]
pub(crate) struct Launchpad {
    pub(crate) people: BTreeMap<u32, Profile>,
    /// The team's fingerprint; `None` if no team has the name.
    pub(crate) team: Option<Fingerprint>,
    pub(crate) page_size: usize,
    pub(crate) hidden: usize,
    pub(crate) malformed: usize,
    /// Whether the source does not count its rows.
    pub(crate) is_uncounted: bool,
    /// Identities on which the source is no authority.
    pub(crate) foreign: BTreeSet<String>,
    /// Whether the list loses a hidden row after each reading.
    pub(crate) shrinks: bool,
    /// Names in the team that are missing from the pages because the list shifted.
    pub(crate) shifted: BTreeSet<String>,
    /// Whether the pages show outdated flags.
    pub(crate) stale: bool,
    /// The page, from 0, whose next request fails.
    pub(crate) fault: Option<(u64, Fault)>,
    /// Identities whose look-up fails.
    pub(crate) failing: BTreeSet<String>,
    /// Number of look-ups in a run after which the source throttles.
    pub(crate) throttles_after: Option<usize>,
    /// Number of pages served.
    pub(crate) pages: u64,
    /// Number of requests for the total only.
    pub(crate) totals: u64,
    /// Identities that were looked up, in order.
    pub(crate) looked_up: Vec<String>,
    /// Names whose groups were fetched.
    pub(crate) groups: Vec<String>,
}

#[derive(Clone)]
enum Row {
    Person(RosterEntry),
    Malformed,
    Hidden,
}

/// The fake source; every look-up takes a millisecond.
pub(crate) struct FakeSource {
    launchpad: Mutex<Launchpad>,
    clock: ManualClock,
}

impl FakeSource {
    pub(crate) fn new(clock: ManualClock) -> Self {
        let launchpad = Launchpad { team: Some(TEAM), page_size: 300, ..Launchpad::default() };
        Self { launchpad: Mutex::new(launchpad), clock }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Launchpad> {
        self.launchpad.lock().unwrap()
    }

    pub(crate) fn change(&self, id: u32, change: impl FnOnce(&mut Profile)) {
        change(self.lock().people.get_mut(&id).unwrap());
    }
}

impl Launchpad {
    fn rows(&self) -> Vec<Row> {
        let shown = self.people.values().filter(|profile| profile.in_team && !self.shifted.contains(&profile.name));
        let people = shown.map(|profile| Row::Person(profile.entry(self.stale)));
        let malformed = std::iter::repeat_n(Row::Malformed, self.malformed);
        people.chain(malformed).chain(std::iter::repeat_n(Row::Hidden, self.hidden)).collect()
    }

    fn total(&self) -> Option<u64> {
        (!self.is_uncounted).then(|| self.rows().len() as u64)
    }

    fn page(&mut self, cursor: PageCursor) -> RosterPage {
        self.pages += 1;
        let rows = self.rows();
        let start = usize::try_from(cursor.start).unwrap();
        let end = rows.len().min(start + self.page_size);
        let mut page = RosterPage { total: self.total(), ..RosterPage::default() };
        for row in rows.get(start..end).unwrap_or_default() {
            page.shown += u64::from(!matches!(row, Row::Hidden));
            page.malformed += u64::from(matches!(row, Row::Malformed));
            if let Row::Person(entry) = row {
                page.people.push(entry.clone());
            }
        }
        page.next = (end < rows.len()).then_some(PageCursor { start: end as u64, size: 0 });
        if self.shrinks && page.next.is_none() {
            self.hidden -= 1;
        }
        page
    }
}

/// The last path segment of an identity.
fn word_of(identity: &Identity) -> &str {
    identity.subject.as_str().rsplit('/').next().unwrap()
}

#[async_trait]
impl Source for FakeSource {
    fn is_authority_on(&self, identity: &Identity) -> bool {
        !self.lock().foreign.contains(word_of(identity))
    }

    async fn person(&self, identity: &Identity) -> Result<Option<Person>, Error> {
        self.clock.advance(SignedDuration::from_millis(1));
        let word = word_of(identity).to_owned();
        let mut launchpad = self.lock();
        launchpad.looked_up.push(word.clone());
        if launchpad.foreign.contains(&word) {
            return Ok(None);
        }
        if launchpad.throttles_after.is_some_and(|limit| launchpad.looked_up.len() > limit) {
            return Err(Error::Status { code: 429, oops: None });
        }
        if launchpad.failing.contains(&word) {
            return Err(Error::TimedOut);
        }
        Ok(launchpad.people.values().find(|profile| profile.words.contains(&word)).map(Profile::person))
    }

    async fn groups(&self, person: &Person) -> Result<BTreeSet<Group>, Error> {
        let mut launchpad = self.lock();
        launchpad.groups.push(person.name.to_string());
        let is_in = launchpad.people.values().any(|profile| profile.in_team && profile.name == person.name.as_str());
        let team = launchpad.team.filter(|_| is_in);
        Ok(team.map(|fingerprint| Group { name: "ubuntumembers".parse().unwrap(), fingerprint }).into_iter().collect())
    }

    async fn group(&self, name: &TeamName) -> Result<Option<Group>, Error> {
        Ok(self.lock().team.map(|fingerprint| Group { name: name.clone(), fingerprint }))
    }

    async fn roster_page(&self, _: &Group, cursor: PageCursor) -> Result<RosterPage, Error> {
        let fault = {
            let mut launchpad = self.lock();
            let page = cursor.start / launchpad.page_size as u64;
            launchpad.fault.take_if(|(at, _)| *at == page).map(|(_, fault)| fault)
        };
        match fault {
            Some(Fault::Fails) => Err(Error::TimedOut),
            Some(Fault::Hangs) => std::future::pending().await,
            None => Ok(self.lock().page(cursor)),
        }
    }

    async fn roster_total(&self, _: &Group) -> Result<Option<u64>, Error> {
        let mut launchpad = self.lock();
        launchpad.totals += 1;
        Ok(launchpad.total())
    }

    fn is_shared(&self, fingerprint: Fingerprint) -> bool {
        fingerprint == SHARED
    }
}
