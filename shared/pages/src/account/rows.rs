//! Addresses and refusals in words: the state of each, and what the member can do about it.

use jiff::Timestamp;
use membermail_core::address::{DomainName, LOCAL_PART_OCTETS, LocalPartError};
use membermail_core::alias::{Alias, Reason, Refusal, Status};
use membermail_core::community::{Community, SignIn};
use membermail_core::email::EmailAddress;

use super::{Mood, Row};

/// The row of an address.
pub(super) fn alias_row(alias: &Alias, destination: Option<&EmailAddress>, community: &Community) -> Row {
    let SignIn::OpenId2 { title: provider, .. } = &community.sign_in;
    let destination = destination.map_or("nowhere", EmailAddress::expose);
    let (state, mood, advice) = match (alias.status, alias.reason) {
        (Status::Active, _) => (
            format!("{} now forwards to {destination}", alias.address),
            Mood::Good,
            "Ask someone to send you a message, or send one from another address.".into(),
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
            // The address comes with a sign-in: a check alone does not bring the new one.
            format!(
                "The address that you sign in with belongs to this community itself. Choose another one at {provider}. \
                 Mail goes there after your next sign-in."
            ),
        ),
        (Status::Suspended, Reason::Banned) => {
            ("Switched off by an operator".into(), Mood::Bad, what_to_do(Reason::Banned).into())
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
        Reason::NotInTeam => "You are no longer in the team that it comes with. Once you are back, check again.",
        Reason::NotValid => "Your Launchpad account is not active. Once it is, check again.",
        Reason::Deactivated => {
            "Your Launchpad account is deactivated. Log in to Launchpad to activate it, then check again."
        }
        Reason::AccountSuspended => "Your Launchpad account is suspended. Once it is active, check again.",
        Reason::AccountClosed => "Your Launchpad account is closed. Once you have a new one, check again.",
        Reason::NoPreferredAddress => {
            "Your Launchpad account has no preferred e-mail address. Set one on Launchpad, then check again."
        }
        Reason::CodeOfConductWithdrawn => "The Code of Conduct is no longer signed. Sign it, then check again.",
        Reason::BanLifted => "It comes back within hours, or when you check again.",
        Reason::DomainRetired => {
            "The community gives up this domain, so all of its addresses end. Tell people another address of yours in time."
        }
        Reason::Banned => "Ask for help below.",
        Reason::Eligible | Reason::Loop | Reason::Unassigned => "Check again to bring it back.",
    }
}

/// The row of a domain that gave no address.
pub(super) fn refusal_row(domain: &DomainName, refusal: Refusal, community: &Community) -> Row {
    let title = &community.title;
    let (state, mood, advice) = match refusal {
        Refusal::Taken => (
            "This address belongs to someone else".to_owned(),
            Mood::Bad,
            "An address never passes to another person. With another Launchpad name you would get another address."
                .to_owned(),
        ),
        Refusal::DomainNotVerified => (
            "This domain is not open for addresses yet".to_owned(),
            Mood::Wait,
            format!("The people of {title} who run it have to finish setting it up. Please check again later."),
        ),
        Refusal::TeamUnavailable => (
            "The team of this domain cannot be checked right now".to_owned(),
            Mood::Wait,
            "It has to be put right first. That is our job, not yours. Please check again later.".to_owned(),
        ),
        Refusal::DomainRetired => (
            "This domain gives no addresses any more".to_owned(),
            Mood::Wait,
            format!("{title} gives it up. There is nothing you need to do."),
        ),
        Refusal::TooMany => (
            "You have as many addresses here as one person can have".to_owned(),
            Mood::Bad,
            "Those that you have stay yours. If you need another one, ask for help below.".to_owned(),
        ),
        Refusal::Name(why) => (name_state(why), Mood::Bad, name_advice(domain, why)),
    };
    Row { title: domain.to_string(), state, mood, advice }
}

fn name_state(why: LocalPartError) -> String {
    match why {
        LocalPartError::SubAddress => "Your Launchpad name contains a +".to_owned(),
        LocalPartError::NotChosen => "Your Launchpad name is not one that you chose".to_owned(),
        LocalPartError::Reserved => "Your Launchpad name is reserved for those who run the domain".to_owned(),
        LocalPartError::TooLong => "Your Launchpad name is too long for an address".to_owned(),
        LocalPartError::NotADotAtom => "Your Launchpad name is not allowed in an address".to_owned(),
    }
}

fn name_advice(domain: &DomainName, why: LocalPartError) -> String {
    let reason = match why {
        LocalPartError::SubAddress => format!("Mail to a+b@{domain} belongs to the owner of a@{domain}. "),
        LocalPartError::NotChosen => "Launchpad assigned it to a merged, deactivated or closed account. ".to_owned(),
        LocalPartError::Reserved => String::new(),
        LocalPartError::TooLong => format!("There is room for {LOCAL_PART_OCTETS} characters before the @. "),
        LocalPartError::NotADotAtom => "A dot cannot stand at its end or beside another dot. ".to_owned(),
    };
    format!("{reason}Change your name on Launchpad, then check again.")
}

fn day(at: Timestamp) -> String {
    at.strftime("%-d %B %Y").to_string()
}
