//! A member, as an operator sees them: nothing that is sealed is opened.

use std::fmt;

use jiff::Timestamp;
use membermail_core::address::DomainName;
use membermail_core::alias::Refusal;
use membermail_core::eligibility::Outcome;
use membermail_core::member::{LaunchpadId, LaunchpadName, MemberId};
use membermail_store::{Changed, Check, Member, StoredAlias};
use serde::Serialize;

use crate::alias::{AliasView, alias_table};
use crate::output::{facts, time, word};

/// `member show`
#[derive(Debug, Serialize)]
pub(super) struct MemberView {
    member: MemberId,
    launchpad_name: Option<LaunchpadName>,
    launchpad_id: Option<LaunchpadId>,
    banned_at: Option<Timestamp>,
    check: Check,
    aliases: Vec<AliasView>,
    refusals: Vec<RefusalView>,
}

#[derive(Debug, Serialize)]
struct RefusalView {
    domain: DomainName,
    #[serde(flatten)]
    why: Refusal,
}

impl MemberView {
    pub(super) fn new(member: Member, aliases: Vec<StoredAlias>, refusals: Vec<(DomainName, Refusal)>) -> Self {
        Self {
            member: member.id,
            launchpad_name: member.launchpad_name,
            launchpad_id: member.launchpad_id,
            banned_at: member.banned_at,
            check: member.check,
            aliases: aliases.into_iter().map(|stored| stored.alias.into()).collect(),
            refusals: refusals.into_iter().map(|(domain, why)| RefusalView { domain, why }).collect(),
        }
    }
}

impl fmt::Display for MemberView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let person = match (&self.launchpad_name, self.launchpad_id) {
            (Some(name), Some(id)) => Some(format!("{name}, id {id}")),
            (Some(name), None) => Some(name.to_string()),
            _ => None,
        };
        let Check { state, requested_at, checked_at, outcome } = &self.check;
        let about = [
            ("member", Some(self.member.to_string())),
            ("Launchpad", Some(person.unwrap_or_else(|| "not known yet".to_owned()))),
            ("banned", self.banned_at.map(|since| format!("since {}", time(since)))),
            ("signed in", Some(time(*requested_at))),
            (
                "check",
                Some(checked_at.map_or_else(|| word(state), |at| format!("{}, last at {}", word(state), time(at)))),
            ),
            ("outcome", outcome.as_ref().map(outcome_in_words)),
        ];
        writeln!(f, "{}", facts(about))?;
        for RefusalView { domain, why } in &self.refusals {
            writeln!(f, "no address at {domain}: {}", refusal_in_words(why))?;
        }
        if self.aliases.is_empty() {
            return writeln!(f, "\nno address");
        }
        writeln!(f, "\n{}", alias_table(&self.aliases))
    }
}

fn outcome_in_words(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Eligible { domains } => {
            let domains: Vec<_> = domains.iter().map(DomainName::as_str).collect();
            format!("eligible at {}", domains.join(", "))
        }
        other => other.as_str().to_owned(),
    }
}

fn refusal_in_words(refusal: &Refusal) -> String {
    match refusal {
        Refusal::Taken => "it is, or was, somebody else's".to_owned(),
        Refusal::DomainNotVerified => "the domain is not verified".to_owned(),
        Refusal::Name(why) => format!("the Launchpad name is {why}"),
    }
}

/// What became of the member.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Did {
    Banned,
    WasBanned,
    Unbanned,
    WasWelcome,
}

/// `member ban` and `member unban`
#[derive(Debug, Serialize)]
pub(super) struct BanView {
    member: MemberId,
    launchpad_name: Option<LaunchpadName>,
    did: Did,
    /// The aliases that were changed by this command.
    changed: Vec<AliasView>,
}

impl BanView {
    pub(super) fn new(member: &Member, did: Did, changed: Vec<Changed>) -> Self {
        let changed = changed.into_iter().map(|(alias, _)| alias.into()).collect();
        Self { member: member.id, launchpad_name: member.launchpad_name.clone(), did, changed }
    }
}

impl fmt::Display for BanView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.launchpad_name.as_ref().map_or_else(|| self.member.to_string(), ToString::to_string);
        match self.did {
            Did::Banned => writeln!(f, "{name} is banned, and their sessions are over.")?,
            Did::WasBanned => writeln!(f, "{name} was banned already.")?,
            Did::Unbanned => writeln!(f, "{name} is welcome again.")?,
            Did::WasWelcome => writeln!(f, "{name} was not banned.")?,
        }
        if self.changed.is_empty() {
            return writeln!(f, "No address was to be changed.");
        }
        match self.did {
            Did::Banned | Did::WasBanned => writeln!(f, "Suspended now:\n")?,
            Did::Unbanned | Did::WasWelcome => {
                writeln!(f, "The next sync, or their next sign-in, restores these if they are eligible:\n")?;
            }
        }
        writeln!(f, "{}", alias_table(&self.changed))
    }
}

#[cfg(test)]
mod tests {
    use membermail_core::alias::{Alias, Reason, Status};
    use membermail_store::CheckState;

    use super::*;

    fn now() -> Timestamp {
        "2026-11-24T10:00:00Z".parse().unwrap()
    }

    fn check() -> Check {
        let outcome = Some(Outcome::Eligible { domains: vec!["ubuntu.com".parse().unwrap()] });
        Check { state: CheckState::Done, requested_at: now(), checked_at: Some(now()), outcome }
    }

    fn alias(member: MemberId) -> Alias {
        let address = "alice@ubuntu.com".to_owned().try_into().unwrap();
        let (status, reason, person) = (Status::Suspended, Reason::Banned, LaunchpadId(1004));
        Alias { address, member, person, status, reason, since: now(), until: None, version: 2 }
    }

    #[test]
    fn a_member_as_operators_see_them() {
        let member = MemberId::parse("01KATW4Y00ZZZZZZZZZZZZZZZZ").unwrap();
        let name = "alice".parse().ok();
        let mut view = MemberView {
            member,
            launchpad_name: name.clone(),
            launchpad_id: Some(LaunchpadId(1004)),
            banned_at: Some(now()),
            check: check(),
            aliases: vec![alias(member).into()],
            refusals: vec![RefusalView { domain: "kubuntu.org".parse().unwrap(), why: Refusal::DomainNotVerified }],
        };
        let full = view.to_string();
        view.check = Check { state: CheckState::Pending, checked_at: None, outcome: None, ..check() };
        (view.launchpad_name, view.launchpad_id, view.banned_at) = (None, None, None);
        (view.aliases, view.refusals) = (Vec::new(), Vec::new());
        let ban = |did, changed| BanView { member, launchpad_name: name.clone(), did, changed }.to_string();
        let suspended = || vec![alias(member).into()];
        let bans = [
            ban(Did::Banned, suspended()),
            ban(Did::WasBanned, Vec::new()),
            ban(Did::Unbanned, suspended()),
            ban(Did::WasWelcome, Vec::new()),
        ];
        insta::assert_snapshot!(format!("{full}\n---\n{view}\n---\n{}", bans.join("---\n")));
    }
}
