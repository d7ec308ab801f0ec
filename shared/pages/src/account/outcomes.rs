//! The outcome of a check in words: what it means for the member, and the next step.

use membermail_core::community::{Community, SignIn};
use membermail_core::eligibility::Outcome;

use super::{CheckAgain, Link, Progress};

/// The head of the page.
pub(super) struct Words {
    pub(super) heading: &'static str,
    pub(super) text: String,
    pub(super) link: Option<Link>,
    pub(super) check_again: Option<CheckAgain>,
}

/// Nothing is asked of the member but another check.
const CHECK: Option<CheckAgain> = Some(CheckAgain { hint: "", is_main: true });
/// Another step comes first.
const CHECK_AFTER: Option<CheckAgain> = Some(CheckAgain { hint: "", is_main: false });

impl Words {
    /// Of a check in progress, or of its outcome.
    pub(super) fn of(progress: Progress, outcome: Option<&Outcome>, community: &Community) -> Self {
        match progress {
            Progress::Pending => Self::new(
                "Checking your membership",
                "We are asking Launchpad about your account and your teams. This takes a few seconds.",
            ),
            Progress::Delayed => Self::new(
                "Launchpad is not answering",
                "Nothing is lost: we keep trying, and make your address as soon as Launchpad answers. You can close this \
                 page and come back later.",
            ),
            Progress::GivenUp => Self {
                check_again: CHECK,
                ..Self::new(
                    "Your membership could not be checked",
                    "Launchpad gave us no answer for a day, so we have stopped asking. Nothing of yours has changed. \
                     Please check again.",
                )
            },
            Progress::Done => match outcome {
                Some(outcome) => Self::of_outcome(outcome, community),
                None => Self {
                    check_again: CHECK,
                    ..Self::new("Your membership is not checked yet", "Check it to get your addresses.")
                },
            },
        }
    }

    fn of_outcome(outcome: &Outcome, community: &Community) -> Self {
        let title = &community.title;
        let SignIn::OpenId2 { title: provider, .. } = &community.sign_in;
        let log_in = || link("https://launchpad.net/+login", "Log in to Launchpad");
        let ask = || link("https://answers.launchpad.net/launchpad", "Ask Launchpad");
        let first = |heading, text: String, link| Self { link, check_again: CHECK_AFTER, ..Self::new(heading, text) };
        match outcome {
            Outcome::Banned => Self::new(
                "Your account is blocked",
                format!(
                    "An operator of {title} mail has blocked it. If you think this is a mistake, ask for help below."
                ),
            ),
            Outcome::Unknown => first(
                "Launchpad does not know you yet",
                format!(
                    "There is no Launchpad account for your {provider} sign-in. Log in to Launchpad once to create one, \
                     then check again."
                ),
                log_in(),
            ),
            Outcome::NeverActivated => first(
                "You have never used your Launchpad account",
                format!(
                    "Your user name is reserved at {provider}, but you have not logged in to Launchpad yet. Log in there \
                     once, then check again."
                ),
                log_in(),
            ),
            Outcome::Deactivated => first(
                "Your Launchpad account is deactivated",
                "Log in to Launchpad to activate it, then check again.".into(),
                log_in(),
            ),
            Outcome::Suspended => first(
                "Your Launchpad account is suspended",
                "An administrator of Launchpad has suspended it. Ask there about it. Once it is active, check again."
                    .into(),
                ask(),
            ),
            Outcome::NoPreferredAddress => first(
                "Your Launchpad account has no e-mail address",
                "It needs a preferred e-mail address. Set one on Launchpad, then check again.".into(),
                link("https://launchpad.net/~/+editemails", "Set your address on Launchpad"),
            ),
            Outcome::Closed => Self {
                check_again: CHECK,
                ..Self::new(
                    "Your Launchpad account is closed",
                    format!(
                        "A closed account gives no address. If you have a new one with the same {provider} sign-in, check \
                         again. If you did not close it, ask for help below."
                    ),
                )
            },
            Outcome::NotValid => first(
                "Your Launchpad account is not active",
                "Launchpad does not say why. Ask there about it. Once it is active, check again.".into(),
                ask(),
            ),
            Outcome::CodeOfConductUnsigned => first(
                "Sign the Code of Conduct first",
                format!("{title} addresses are for people who have signed it. Sign it, then check again."),
                link(community.code_of_conduct.as_str(), "Read and sign the Code of Conduct"),
            ),
            Outcome::NoTeam => Self {
                check_again: CHECK,
                ..Self::new(
                    "You are in none of the teams yet",
                    format!("Addresses come with membership of a {title} team. Once you have joined one, check again."),
                )
            },
            Outcome::TeamsUnavailable => Self {
                check_again: CHECK,
                ..Self::new(
                    "Your membership cannot be checked right now",
                    format!(
                        "One of the {title} teams has to be put right first. That is our job, not yours. Please check again later."
                    ),
                )
            },
            Outcome::Eligible { .. } => {
                let hint = "Did you join another team, or change your name on Launchpad?";
                Self {
                    check_again: Some(CheckAgain { hint, is_main: false }),
                    ..Self::new("Your addresses", format!("You are a verified member of {title}."))
                }
            }
        }
    }

    fn new(heading: &'static str, text: impl Into<String>) -> Self {
        Self { heading, text: text.into(), link: None, check_again: None }
    }
}

fn link(href: &str, label: &str) -> Option<Link> {
    Some(Link { href: href.to_owned(), label: label.to_owned() })
}
