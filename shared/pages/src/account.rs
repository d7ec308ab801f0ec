//! What a member sees: the outcome of the check and their addresses, each with its state and what to do next.

mod outcomes;
mod rows;

use askama::Template;
use membermail_core::address::DomainName;
use membermail_core::alias::{Alias, Refusal};
use membermail_core::community::{Community, Domain};
use membermail_core::eligibility::Outcome;
use membermail_core::email::EmailAddress;

use self::outcomes::Words;
use self::rows::{alias_row, refusal_row};
use crate::layout::Site;

/// The page for somebody who is not signed in.
#[derive(Template)]
#[template(path = "welcome.html")]
pub struct Welcome<'a> {
    /// The frame.
    pub site: Site<'a>,
    /// The community's domains.
    pub domains: &'a [Domain],
}

/// The page of a member.
#[derive(Template)]
#[template(path = "account.html")]
pub struct Account<'a> {
    /// The frame.
    pub site: Site<'a>,
    /// What it says.
    pub view: View,
}

/// How far the check is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Launchpad is being asked.
    Pending,
    /// Launchpad does not answer; the queue tries again.
    Delayed,
    /// Launchpad did not answer for as long as the queue tries.
    GivenUp,
    /// There is an outcome.
    Done,
}

/// All that the page is made from.
#[derive(Debug)]
pub struct Facts<'a> {
    /// How far the check is.
    pub progress: Progress,
    /// What the last check came to.
    pub outcome: Option<&'a Outcome>,
    /// The member's aliases with their destinations, also those of members that were linked to this one.
    pub aliases: &'a [(Alias, Option<EmailAddress>)],
    /// The domains that refused them an address.
    pub refusals: &'a [(DomainName, Refusal)],
}

/// What the page says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// The one thing to know.
    pub heading: String,
    /// What it means.
    pub text: String,
    /// The next step, where it lies elsewhere.
    pub link: Option<Link>,
    /// An address or a domain each.
    pub rows: Vec<Row>,
    /// The button that asks for another check, where one can help.
    pub check_again: Option<CheckAgain>,
    /// Seconds until the page looks again, while something is still to come.
    pub refresh: Option<u8>,
}

/// The button that asks for another check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CheckAgain {
    /// When another check helps; empty where the text of the page says it.
    pub hint: &'static str,
    /// Whether it is the next step; otherwise it stands behind another one.
    pub is_main: bool,
}

/// A link that leads away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The URL.
    pub href: String,
    /// What the button says.
    pub label: String,
}

/// An address, or a domain where there is none yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The address or domain.
    pub title: String,
    /// How it stands.
    pub state: String,
    /// Its colour.
    pub mood: Mood,
    /// What to do next; empty where nothing is to be done.
    pub advice: String,
}

/// How a state is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    /// All is well.
    Good,
    /// It will change by itself.
    Wait,
    /// Somebody must do something.
    Bad,
}

impl Mood {
    /// The class in the style sheet.
    pub fn class(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Wait => "wait",
            Self::Bad => "bad",
        }
    }
}

impl View {
    /// Puts the facts into words.
    pub fn of(facts: &Facts<'_>, community: &Community) -> Self {
        let aliases = facts.aliases.iter();
        let mut rows: Vec<Row> =
            aliases.map(|(alias, destination)| alias_row(alias, destination.as_ref(), community)).collect();
        rows.extend(facts.current_refusals().map(|(domain, refusal)| refusal_row(domain, *refusal, community)));
        let mut refresh = match facts.progress {
            Progress::Pending => Some(2),
            Progress::Delayed => Some(10),
            Progress::GivenUp | Progress::Done => None,
        };
        if let (Progress::Done, Some(Outcome::Eligible { domains })) = (facts.progress, facts.outcome) {
            for domain in domains.iter().filter(|domain| !facts.mentions(domain)) {
                rows.push(Row {
                    title: domain.to_string(),
                    state: "Your address is being made".into(),
                    mood: Mood::Wait,
                    advice: String::new(),
                });
                refresh = Some(2);
            }
        }
        let Words { heading, text, link, check_again } = Words::of(facts.progress, facts.outcome, community);
        Self { heading: heading.into(), text, link, rows, check_again, refresh }
    }
}

impl Facts<'_> {
    /// Those of domains that the member is eligible for. A refusal stays in the table until the domain gives them an
    /// address; a member who is no longer eligible need not change their name for it.
    fn current_refusals(&self) -> impl Iterator<Item = &(DomainName, Refusal)> {
        let eligible = match self.outcome {
            Some(Outcome::Eligible { domains }) => domains.as_slice(),
            _ => &[],
        };
        self.refusals.iter().filter(|(domain, _)| eligible.contains(domain))
    }

    fn mentions(&self, domain: &DomainName) -> bool {
        self.aliases.iter().any(|(alias, _)| &alias.address.domain == domain)
            || self.refusals.iter().any(|(refused, _)| refused == domain)
    }
}

#[cfg(test)]
#[path = "account_tests.rs"]
mod tests;
