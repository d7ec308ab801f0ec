//! What a member sees: the outcome of the check and their addresses, each with its state and what to do next.

use askama::Template;
use jiff::Timestamp;
use membermail_core::address::DomainName;
use membermail_core::alias::{Alias, Reason, Refusal, Status};
use membermail_core::community::{Community, Domain};
use membermail_core::eligibility::Outcome;
use membermail_core::email::EmailAddress;

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
    /// Launchpad did not answer for so long that nobody tries any more.
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
    /// The member's aliases with where they forward to.
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
    /// Seconds until the page looks again, while something is still to come.
    pub refresh: Option<u8>,
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
        let mut rows: Vec<Row> =
            facts.aliases.iter().map(|(alias, destination)| alias_row(alias, destination.as_ref())).collect();
        rows.extend(facts.current_refusals().map(|(domain, refusal)| refusal_row(domain, *refusal, community)));
        let mut refresh = None;
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
        let (heading, text, link) = match facts.progress {
            Progress::Pending => {
                refresh = Some(2);
                (
                    "Checking your membership",
                    "We are asking Launchpad about your account and your teams. This takes a few seconds.".into(),
                    None,
                )
            }
            Progress::Delayed => {
                refresh = Some(10);
                ("Launchpad is not answering", "Nothing is lost: we keep trying, and your address will be made as soon as Launchpad answers. You can close this page and come back later.".into(), None)
            }
            Progress::GivenUp => (
                "Your membership could not be checked",
                "We asked Launchpad for a day, got no answer that we could use, and have stopped. Nothing of yours has changed. Log out and in again, and we ask anew.".into(),
                None,
            ),
            Progress::Done => outcome_words(facts.outcome, community),
        };
        Self { heading: heading.into(), text, link, rows, refresh }
    }
}

impl Facts<'_> {
    /// Those of domains that the member is eligible for. A refusal stays in the table until the domain gives them an
    /// address; who has lost the right to one need not change their name for it.
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

fn outcome_words(outcome: Option<&Outcome>, community: &Community) -> (&'static str, String, Option<Link>) {
    let title = &community.title;
    match outcome {
        None => ("No check yet", "Log out and in again to start one.".into(), None),
        Some(Outcome::Banned) => (
            "Your account is blocked",
            format!("An operator of {title} mail has blocked it. If you think that this is a mistake, ask for help below."),
            None,
        ),
        Some(Outcome::Unknown) => (
            "Launchpad does not know you yet",
            "There is no Launchpad account for this sign-in. Create one by logging in to Launchpad once, then come back and log in here again.".into(),
            Some(Link { href: "https://launchpad.net/+login".into(), label: "Log in to Launchpad".into() }),
        ),
        Some(Outcome::NotValid) => (
            "Your Launchpad account is not active",
            "Launchpad says that it is deactivated, suspended, or not a person’s. Once Launchpad says otherwise, log in here again.".into(),
            Some(Link { href: "https://answers.launchpad.net/launchpad".into(), label: "Ask Launchpad".into() }),
        ),
        Some(Outcome::CodeOfConductUnsigned) => (
            "Sign the Code of Conduct first",
            format!("An address of {title} is for people who have signed it. Sign it, then log in here again."),
            Some(Link { href: community.code_of_conduct.to_string(), label: "Read and sign the Code of Conduct".into() }),
        ),
        Some(Outcome::NoTeam) => (
            "You are in none of the teams yet",
            format!("Addresses go with membership of a team of {title}. Once you are a member, log in here again."),
            None,
        ),
        Some(Outcome::PersonTaken) => (
            "Another sign-in has your Launchpad account",
            "Somebody, perhaps you, signed in here before with another identity for the same Launchpad account. Log in with that one, or ask for help below.".into(),
            None,
        ),
        Some(Outcome::Eligible { .. }) => ("Your addresses", format!("You are a verified member of {title}."), None),
    }
}

fn alias_row(alias: &Alias, destination: Option<&EmailAddress>) -> Row {
    let destination = destination.map_or("nowhere", EmailAddress::expose);
    let (state, mood, advice) = match (alias.status, alias.reason) {
        (Status::Active, _) => (
            format!("{} now forwards to {destination}", alias.address),
            Mood::Good,
            "Send yourself a message to try it.".into(),
        ),
        (Status::Leaving, reason) => {
            let end = alias.until.map_or_else(|| "soon".to_owned(), |until| format!("on {}", day(until)));
            (
                format!("{} still forwards to {destination}, and ends {end}", alias.address),
                Mood::Wait,
                what_to_do(reason).into(),
            )
        }
        (Status::Suspended, Reason::Loop) => (
            "Switched off: mail would go round in a circle".into(),
            Mood::Bad,
            "Your sign-in address is itself an address of this community. Choose another one with your sign-in provider, then log in here again.".into(),
        ),
        (Status::Suspended, Reason::Banned) => {
            ("Switched off by an operator".into(), Mood::Bad, "Ask for help below.".into())
        }
        (Status::Suspended | Status::Retired, reason) => (
            format!("Switched off since {}", day(alias.since)),
            Mood::Bad,
            format!("{} The address stays yours.", what_to_do(reason)),
        ),
    };
    Row { title: alias.address.to_string(), state, mood, advice }
}

fn what_to_do(reason: Reason) -> &'static str {
    match reason {
        Reason::NotValid => "Launchpad says that your account is not active. Once it is again, log in here.",
        Reason::CodeOfConductWithdrawn => "The Code of Conduct is no longer signed. Sign it, then log in here.",
        Reason::BanLifted => "It comes back within hours, or when you log in here.",
        Reason::Eligible | Reason::Loop | Reason::NotInTeam | Reason::Banned => {
            "You are no longer a member of the team that it goes with. Once you are again, log in here."
        }
    }
}

fn day(at: Timestamp) -> String {
    at.strftime("%-d %B %Y").to_string()
}

fn refusal_row(domain: &DomainName, refusal: Refusal, community: &Community) -> Row {
    let title = &community.title;
    let (state, mood, advice) = match refusal {
        Refusal::Taken => (
            "This address belongs to somebody else".into(),
            Mood::Bad,
            "An address never passes to another person. With another Launchpad name you would get another address."
                .into(),
        ),
        Refusal::DomainNotVerified => (
            "This domain is not open for addresses yet".into(),
            Mood::Wait,
            format!("The people of {title} who run it must finish setting it up. Then log in here again."),
        ),
        Refusal::Name(why) => (
            format!("Your Launchpad name is {why}"),
            Mood::Bad,
            "Change your name on Launchpad, then log in here again.".into(),
        ),
    };
    Row { title: domain.to_string(), state, mood, advice }
}

#[cfg(test)]
#[path = "account_tests.rs"]
mod tests;
