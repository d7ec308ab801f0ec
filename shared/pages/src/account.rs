//! The account page: the outcome of the last check and the addresses, each with its state and the next step.

mod failures;
mod mailboxes;
mod manage;
mod outcomes;
mod rows;

use std::collections::BTreeMap;

use askama::Template;
use jiff::{SignedDuration, Timestamp};
use membermail_core::address::{Address, DomainName};
use membermail_core::alias::{Alias, Reason, Refusal};
use membermail_core::audit::Comment;
use membermail_core::community::{Community, Domain, Members};
use membermail_core::eligibility::{CheckState, Outcome};
use membermail_core::failing::Failing;
use membermail_store::{StoredAlias, TestMessage};
use ulid::Ulid;

pub use self::mailboxes::{Mailbox, MailboxRow, Mailboxes};
pub use self::manage::{Choice, End, Manage, Switch, Test};

use self::outcomes::Summary;
use self::rows::{alias_row, refusal_row};
use crate::layout::Site;
use crate::wording::Wording;

/// The page for visitors who are not signed in.
#[derive(Template)]
#[template(path = "welcome.html")]
pub struct Welcome<'a> {
    /// The layout.
    pub site: Site<'a>,
    /// The community.
    pub community: &'a Community,
}

impl Welcome<'_> {
    /// The page of a domain's team at the membership source.
    fn team_url(&self, domain: &Domain) -> String {
        match &self.community.members {
            Members::Launchpad(_) => format!("https://launchpad.net/~{}", domain.team),
            Members::GitLab(gitlab) => format!("{}/{}", gitlab.url.as_str().trim_end_matches('/'), domain.team),
        }
    }
}

/// The page of a signed-in member.
#[derive(Template)]
#[template(path = "account.html")]
pub struct Account<'a> {
    /// The layout.
    pub site: Site<'a>,
    /// The content.
    pub view: View,
}

/// The input of the page.
#[derive(Debug)]
pub struct AccountState<'a> {
    /// The state of the current check.
    pub check: CheckState,
    /// The outcome of the last finished check.
    pub outcome: Option<&'a Outcome>,
    /// What an admin or operator told the member about a ban.
    pub ban_reason: Option<&'a Comment>,
    /// The aliases of the member and of all members linked to them.
    pub aliases: &'a [StoredAlias],
    /// Their destinations.
    pub mailboxes: &'a [Mailbox],
    /// The last test messages to the addresses.
    pub tests: &'a [TestMessage],
    /// The id of the next test message, if the page has a form for it.
    pub test_id: Option<Ulid>,
    /// The epoch of the member's sessions, to which pending confirmations are bound.
    pub session_epoch: u64,
    /// The failed deliveries to those that fail.
    pub failing: &'a BTreeMap<Address, Failing>,
    /// The domains that refused the member an address.
    pub refusals: &'a [(DomainName, Refusal)],
    /// The time.
    pub now: Timestamp,
}

/// How long the page refreshes itself for a restored address whose member is eligible; a grant takes seconds.
const RETURN_WITHIN: SignedDuration = SignedDuration::from_mins(2);

/// The content of the page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// The result in a few words.
    pub heading: String,
    /// What it means, and what to do next.
    pub text: String,
    /// Why the account is banned; empty if it is not, or if there is no reason for the member.
    pub ban_reason: String,
    /// The next step, if it is on another site.
    pub link: Option<Link>,
    /// One row per address, or per domain without one.
    pub rows: Vec<Row>,
    /// The mailboxes.
    pub mailboxes: Mailboxes,
    /// The button for another check, if one can help.
    pub check_again: Option<CheckAgain>,
    /// Seconds until the page refreshes itself, while a change is expected.
    pub refresh: Option<u8>,
}

/// The button for another check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckAgain {
    /// When another check helps; empty if the text of the page says it.
    pub hint: String,
    /// Whether it is the next step, rather than one that follows another step.
    pub is_main: bool,
}

/// A link to another site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The URL.
    pub href: String,
    /// Text of the button.
    pub label: String,
}

/// An address, or a domain without one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The address or domain.
    pub title: String,
    /// Its state.
    pub state: String,
    /// Its colour.
    pub mood: Mood,
    /// Failed deliveries; empty if there are none.
    pub failure: String,
    /// What to do next; empty if nothing.
    pub advice: String,
    /// The forms, if something can be changed.
    pub manage: Option<Manage>,
}

/// The meaning of a state, which sets its colour: the name is the CSS class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::Display)]
#[strum(serialize_all = "kebab-case")]
pub enum Mood {
    /// It works.
    Good,
    /// It changes without action.
    Wait,
    /// It needs action.
    Bad,
}

impl View {
    /// Describes the state of an account.
    pub fn new(state: &AccountState<'_>, community: &Community, wording: Wording<'_>) -> Self {
        let mut rows: Vec<Row> = state.aliases.iter().map(|stored| alias_row(stored, state, wording)).collect();
        rows.extend(state.current_refusals().map(|(domain, refusal)| refusal_row(domain, *refusal, wording)));
        let mut refresh = match state.check {
            CheckState::Pending => Some(2),
            CheckState::Delayed => Some(10),
            CheckState::GivenUp | CheckState::Done => None,
        };
        if let (CheckState::Done, Some(Outcome::Eligible { domains })) = (state.check, state.outcome) {
            // The outcome of a check is recorded before the address that follows from it.
            if state.aliases.iter().any(|stored| is_returning(&stored.alias, domains, state.now)) {
                refresh = Some(2);
            }
            for domain in domains.iter().filter(|domain| !state.mentions(domain)) {
                rows.push(Row {
                    title: domain.to_string(),
                    state: wording.part("address-creating", "state"),
                    mood: Mood::Wait,
                    failure: String::new(),
                    advice: String::new(),
                    manage: None,
                });
                refresh = Some(2);
            }
        }
        let Summary { heading, text, link, check_again } = Summary::new(state.check, state.outcome, community, wording);
        if refresh.is_some() {
            hold_tests(&mut rows);
        }
        let ban_reason =
            state.ban_reason.map(|comment| wording.text_with("ban-reason", &[("comment", comment.as_str().into())]));
        let ban_reason = ban_reason.unwrap_or_default();
        Self { heading, text, ban_reason, link, rows, mailboxes: Mailboxes::new(state, wording), check_again, refresh }
    }
}

/// Whether a restored address is about to become active.
fn is_returning(alias: &Alias, eligible: &[DomainName], now: Timestamp) -> bool {
    alias.reason == Reason::Returning
        && eligible.contains(&alias.address.domain)
        && now.duration_since(alias.since) < RETURN_WITHIN
}

/// A page that refreshes itself offers no test message: its new id would change the page each time.
fn hold_tests(rows: &mut [Row]) {
    let tests = rows.iter_mut().filter_map(|row| row.manage.as_mut()?.test.as_mut());
    tests.for_each(|test| test.id = None);
}

impl AccountState<'_> {
    /// The mailboxes that an alias lists, in its order.
    fn mailboxes_of(&self, stored: &StoredAlias) -> Vec<&Mailbox> {
        let find = |id| self.mailboxes.iter().find(|known| known.destination.id == id);
        stored.destinations.iter().filter_map(|id| find(*id)).collect()
    }

    /// The last test message to an address.
    fn last_test(&self, stored: &StoredAlias) -> Option<&TestMessage> {
        self.tests.iter().find(|test| test.address == stored.alias.address)
    }

    /// The refusals of domains that the member is eligible for. A refusal stays in the table until the domain grants an
    /// address, but a member who is no longer eligible need not act on it.
    fn current_refusals(&self) -> impl Iterator<Item = &(DomainName, Refusal)> {
        let eligible = match self.outcome {
            Some(Outcome::Eligible { domains }) => domains.as_slice(),
            _ => &[],
        };
        self.refusals.iter().filter(|(domain, _)| eligible.contains(domain))
    }

    fn mentions(&self, domain: &DomainName) -> bool {
        self.aliases.iter().any(|stored| &stored.alias.address.domain == domain)
            || self.refusals.iter().any(|(refusing, _)| refusing == domain)
    }
}

#[cfg(test)]
#[path = "account_tests.rs"]
mod tests;
