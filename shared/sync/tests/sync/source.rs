//! A membership source in memory: accounts with identities, names and fingerprints, and one team.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use jiff::SignedDuration;
use membermail_core::clock::ManualClock;
use membermail_core::eligibility::{Account, Group, Person};
use membermail_core::member::{Fingerprint, Identity, LaunchpadName, TeamName};
use membermail_core::roster::RosterEntry;
use membermail_membership::{Error, PageCursor, RosterPage, Source};

/// The date that many accounts of 2005 have.
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
    /// The last parts of its identities.
    pub(crate) words: Vec<String>,
}

impl Profile {
    /// An active account in the team, with the identity of the same word.
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

    fn name(&self) -> LaunchpadName {
        LaunchpadName::parse(&self.name).unwrap()
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

/// What happens instead of a page.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The request fails.
    Fails,
    /// No answer ever comes.
    Hangs,
}

/// All that a test can change, and what was asked.
pub(crate) struct Launchpad {
    pub(crate) people: BTreeMap<u32, Profile>,
    /// None, where no team has the name.
    pub(crate) team: Option<Fingerprint>,
    pub(crate) page_size: usize,
    pub(crate) hidden: usize,
    pub(crate) malformed: usize,
    /// Whether the list loses a hidden row after each reading.
    pub(crate) shrinks: bool,
    /// Names in the team that the pages do not show, since the list shifted.
    pub(crate) shifted: BTreeSet<String>,
    /// Whether the pages show flags as they were.
    pub(crate) stale: bool,
    /// The page, from 0, where the next request meets the fault.
    pub(crate) fault: Option<(u64, Fault)>,
    /// Words whose look-up fails.
    pub(crate) failing: BTreeSet<String>,
    /// Pages that were answered.
    pub(crate) pages: u64,
    /// Requests for the total alone.
    pub(crate) totals: u64,
    /// Words that were looked up, in order.
    pub(crate) asked: Vec<String>,
    /// Names whose groups were asked for.
    pub(crate) groups: Vec<String>,
}

#[derive(Clone)]
enum Row {
    Person(RosterEntry),
    Malformed,
    Hidden,
}

/// The source; every look-up takes a millisecond.
pub(crate) struct Fake {
    launchpad: Mutex<Launchpad>,
    clock: Arc<ManualClock>,
}

impl Fake {
    pub(crate) fn new(clock: Arc<ManualClock>) -> Self {
        let launchpad = Launchpad {
            people: BTreeMap::new(),
            team: Some(TEAM),
            page_size: 300,
            hidden: 0,
            malformed: 0,
            shrinks: false,
            shifted: BTreeSet::new(),
            stale: false,
            fault: None,
            failing: BTreeSet::new(),
            pages: 0,
            totals: 0,
            asked: Vec::new(),
            groups: Vec::new(),
        };
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
        let is_shown = |profile: &&Profile| profile.in_team && !self.shifted.contains(&profile.name);
        let people = self.people.values().filter(is_shown).map(|profile| Row::Person(profile.entry(self.stale)));
        let malformed = std::iter::repeat_n(Row::Malformed, self.malformed);
        people.chain(malformed).chain(std::iter::repeat_n(Row::Hidden, self.hidden)).collect()
    }

    fn page(&mut self, cursor: PageCursor) -> RosterPage {
        self.pages += 1;
        let rows = self.rows();
        let start = usize::try_from(cursor.start).unwrap();
        let end = rows.len().min(start + self.page_size);
        let mut page = RosterPage { total: rows.len() as u64, ..RosterPage::default() };
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

#[async_trait]
impl Source for Fake {
    async fn person(&self, identity: &Identity) -> Result<Option<Person>, Error> {
        self.clock.advance(SignedDuration::from_millis(1));
        let word = identity.subject.as_str().rsplit('/').next().unwrap().to_owned();
        let mut launchpad = self.lock();
        launchpad.asked.push(word.clone());
        if launchpad.failing.contains(&word) {
            return Err(Error::TimedOut);
        }
        Ok(launchpad.people.values().find(|profile| profile.words.contains(&word)).map(Profile::person))
    }

    async fn groups(&self, person: &Person) -> Result<BTreeSet<Group>, Error> {
        let mut launchpad = self.lock();
        launchpad.groups.push(person.name.to_string());
        let is_in = launchpad.people.values().any(|profile| profile.in_team && profile.name == person.name.as_str());
        let group = |fingerprint| Group { name: "ubuntumembers".parse().unwrap(), fingerprint };
        Ok(launchpad.team.filter(|_| is_in).map(group).into_iter().collect())
    }

    async fn group(&self, name: &TeamName) -> Result<Option<Group>, Error> {
        Ok(self.lock().team.map(|fingerprint| Group { name: name.clone(), fingerprint }))
    }

    async fn roster_page(&self, _: &TeamName, cursor: PageCursor) -> Result<RosterPage, Error> {
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

    async fn roster_total(&self, _: &TeamName) -> Result<u64, Error> {
        let mut launchpad = self.lock();
        launchpad.totals += 1;
        Ok(launchpad.rows().len() as u64)
    }

    fn is_shared(&self, fingerprint: Fingerprint) -> bool {
        fingerprint == SHARED
    }
}
