//! The summary of a check: what the outcome means for the member, and the next step.

use membermail_core::community::{Community, Members};
use membermail_core::eligibility::{CheckState, Outcome};

use super::{CheckAgain, Link};
use crate::wording::Wording;

/// The top of the account page.
pub(super) struct Summary {
    pub(super) heading: String,
    pub(super) text: String,
    pub(super) link: Option<Link>,
    pub(super) check_again: Option<CheckAgain>,
}

/// What the member can do about it.
enum Step<'a> {
    /// The member cannot do anything.
    None,
    /// Another check.
    Check,
    /// Something on another site, then another check: the URL, and the id of the button's text.
    Elsewhere(&'a str, &'static str),
    /// Nothing for now; another check after a change on another site, which the text with this id names.
    CheckAfterChange(&'static str),
}

/// What a member can do at the membership source.
#[derive(Clone, Copy)]
enum AtSource {
    LogIn,
    AskWhy,
    SetAddress,
}

impl AtSource {
    /// The step, if the source has a page for it.
    fn step(self, source: &Members) -> Step<'_> {
        match (source, self) {
            (Members::Launchpad(_), Self::LogIn) => Step::Elsewhere("https://launchpad.net/+login", "log-in-to-source"),
            (Members::Launchpad(_), Self::AskWhy) => {
                Step::Elsewhere("https://answers.launchpad.net/launchpad", "ask-source")
            }
            (Members::Launchpad(_), Self::SetAddress) => {
                Step::Elsewhere("https://launchpad.net/~/+editemails", "set-source-address")
            }
            (Members::GitLab(gitlab), Self::LogIn) => Step::Elsewhere(gitlab.url.as_str(), "log-in-to-source"),
            // Only the server's administrators know, and each server has others: the page links the community's help.
            (Members::GitLab(_), Self::AskWhy | Self::SetAddress) => Step::Check,
        }
    }
}

impl Summary {
    /// Describes a check in progress, or the outcome of the last one.
    pub(super) fn new(
        check: CheckState,
        outcome: Option<&Outcome>,
        community: &Community,
        wording: Wording<'_>,
    ) -> Self {
        let (id, step) = match (check, outcome) {
            (CheckState::Pending, _) => ("check-pending".to_owned(), Step::None),
            (CheckState::Delayed, _) => ("check-delayed".to_owned(), Step::None),
            (CheckState::GivenUp, _) => ("check-given-up".to_owned(), Step::Check),
            (CheckState::Done, None) => ("check-never".to_owned(), Step::Check),
            (CheckState::Done, Some(outcome)) => (format!("outcome-{outcome}"), step_after(outcome, community)),
        };
        let [heading, text] = ["heading", "text"].map(|part| wording.part(&id, part));
        let check_again = |hint, is_main| Some(CheckAgain { hint, is_main });
        let (link, check_again) = match step {
            Step::None => (None, None),
            Step::Check => (None, check_again(String::new(), true)),
            Step::Elsewhere(href, label) => {
                (Some(Link { href: href.to_owned(), label: wording.text(label) }), check_again(String::new(), false))
            }
            Step::CheckAfterChange(hint) => (None, check_again(wording.text(hint), false)),
        };
        Self { heading, text, link, check_again }
    }
}

fn step_after<'a>(outcome: &Outcome, community: &'a Community) -> Step<'a> {
    match outcome {
        Outcome::Banned => Step::None,
        Outcome::Unknown | Outcome::NeverActivated | Outcome::Deactivated => AtSource::LogIn.step(&community.members),
        Outcome::Suspended | Outcome::NotValid => AtSource::AskWhy.step(&community.members),
        Outcome::NoPreferredAddress => AtSource::SetAddress.step(&community.members),
        Outcome::Closed | Outcome::NoTeam | Outcome::TeamsUnavailable => Step::Check,
        Outcome::CodeOfConductUnsigned => match &community.code_of_conduct {
            Some(url) => Step::Elsewhere(url.as_str(), "sign-code-of-conduct"),
            None => Step::Check,
        },
        Outcome::Eligible { .. } => Step::CheckAfterChange("outcome-eligible-hint"),
    }
}
