//! A member, as an operator sees them: nothing that is sealed is opened.

use std::fmt;

use jiff::Timestamp;
use membermail_core::address::DomainName;
use membermail_core::alias::Refusal;
use membermail_core::eligibility::{Account, Observation, Outcome};
use membermail_core::member::{Identity, LaunchpadName, MemberId};
use membermail_store::{Check, CheckState, Member, StoredAlias};
use serde::Serialize;

use crate::alias::{AliasView, alias_table};
use crate::output::{facts, time, word};

/// What the table has of a member beside the profile.
pub(super) struct Found {
    pub(super) identities: Vec<Identity>,
    /// Also those of members that were linked to this one.
    pub(super) aliases: Vec<StoredAlias>,
    pub(super) refusals: Vec<(DomainName, Refusal)>,
    pub(super) admin_of: Vec<AdminOf>,
}

/// `member show`
#[derive(Debug, Serialize)]
pub(super) struct MemberView {
    member: MemberId,
    /// The name at the last look-up.
    launchpad_name: Option<LaunchpadName>,
    account: Option<Account>,
    signed_code_of_conduct: Option<bool>,
    /// When Launchpad said all of that.
    observed_at: Option<Timestamp>,
    banned_at: Option<Timestamp>,
    /// The member that this one was linked to.
    merged_into: Option<MemberId>,
    /// Members that were linked to this one.
    merged: Vec<MemberId>,
    identities: Vec<Identity>,
    admin_of: Vec<AdminOf>,
    check: CheckView,
    aliases: Vec<AliasView>,
    refusals: Vec<RefusalView>,
}

/// A domain that the member is bound to as an admin.
#[derive(Clone, Debug, Serialize)]
pub(super) struct AdminOf {
    pub(super) domain: DomainName,
    pub(super) since: Timestamp,
}

#[derive(Debug, Serialize)]
struct CheckView {
    state: CheckState,
    requested_at: Timestamp,
    checked_at: Option<Timestamp>,
    outcome: Option<Outcome>,
}

impl From<Check> for CheckView {
    fn from(Check { state, requested_at, checked_at, outcome }: Check) -> Self {
        Self { state, requested_at, checked_at, outcome }
    }
}

#[derive(Debug, Serialize)]
struct RefusalView {
    domain: DomainName,
    #[serde(flatten)]
    why: Refusal,
}

impl MemberView {
    pub(super) fn new(member: Member, found: Found) -> Self {
        let Found { identities, aliases, refusals, admin_of } = found;
        let observation = member.observation.as_ref();
        let person = observation.map(|Observation { person, .. }| person);
        Self {
            launchpad_name: member.name().cloned(),
            account: person.map(|person| person.account),
            signed_code_of_conduct: person.map(|person| person.signed_code_of_conduct),
            observed_at: observation.map(|observation| observation.observed_at),
            member: member.id,
            banned_at: member.banned_at,
            merged_into: member.merged_into,
            merged: member.merged,
            identities,
            admin_of,
            check: member.check.into(),
            aliases: aliases.into_iter().map(|stored| stored.alias.into()).collect(),
            refusals: refusals.into_iter().map(|(domain, why)| RefusalView { domain, why }).collect(),
        }
    }

    /// Name and account, with the time of the look-up.
    fn observed(&self) -> [(&'static str, Option<String>); 2] {
        let (Some(name), Some(at)) = (&self.launchpad_name, self.observed_at) else {
            return [("Launchpad", Some("not looked up yet".to_owned())), ("account", None)];
        };
        let signed = match self.signed_code_of_conduct {
            Some(true) => "Code of Conduct signed",
            _ => "Code of Conduct not signed",
        };
        let account = self.account.map(|account| format!("{}, {signed}", word(&account)));
        [("Launchpad", Some(format!("{name}, seen {}", time(at)))), ("account", account)]
    }
}

impl fmt::Display for MemberView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let CheckView { state, requested_at, checked_at, outcome } = &self.check;
        let check = checked_at.map_or_else(|| word(state), |at| format!("{}, last at {}", word(state), time(at)));
        let mut about = vec![("member", Some(self.member.to_string()))];
        about.extend(self.observed());
        about.push(("banned", self.banned_at.map(|since| format!("since {}", time(since)))));
        about.push(("linked to", self.merged_into.map(|survivor| survivor.to_string())));
        about.extend(self.merged.iter().map(|other| ("linked here", Some(other.to_string()))));
        let identity = |identity: &Identity| format!("{} at {}", identity.subject, identity.issuer);
        about.extend(self.identities.iter().map(|one| ("identity", Some(identity(one)))));
        let admin = |one: &AdminOf| format!("{}, since {}", one.domain, time(one.since));
        about.extend(self.admin_of.iter().map(|one| ("admin of", Some(admin(one)))));
        about.push(("asked", Some(time(*requested_at))));
        about.push(("check", Some(check)));
        about.push(("outcome", outcome.as_ref().map(outcome_in_words)));
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
        Refusal::Taken => "it is, or was, another member's".to_owned(),
        Refusal::DomainNotVerified => "the domain is not verified".to_owned(),
        Refusal::TeamUnavailable => "the domain's team cannot be checked".to_owned(),
        Refusal::DomainRetired => "the domain is retired".to_owned(),
        Refusal::TooMany => "the member has as many as allowed (member limit)".to_owned(),
        Refusal::Name(why) => format!("the Launchpad name is {why}"),
    }
}

#[cfg(test)]
mod tests {
    use membermail_core::alias::{Reason, Status};

    use super::*;
    use crate::member::test_member;
    use crate::views_tests::alias;

    const MEMBER: &str = "01KATW4Y00ZZZZZZZZZZZZZZZZ";

    fn nothing() -> Found {
        Found { identities: Vec::new(), aliases: Vec::new(), refusals: Vec::new(), admin_of: Vec::new() }
    }

    #[test]
    fn a_member_as_operators_see_them() {
        let mut member = test_member(MEMBER, "alice");
        member.banned_at = Some(member.check.requested_at);
        member.merged.extend(MemberId::parse("01KATW4Y00YYYYYYYYYYYYYYYY"));
        let subject = |text: &str| format!("https://login.example.org/+id/{text}").parse().unwrap();
        let identity =
            |text| Identity { issuer: "https://login.example.org/+openid".to_owned(), subject: subject(text) };
        let since = member.check.requested_at;
        let refused = [Refusal::DomainNotVerified, Refusal::TeamUnavailable, Refusal::TooMany];
        let found = Found {
            identities: vec![identity("AAAAAAA"), identity("BBBBBBB")],
            refusals: refused.map(|why| ("kubuntu.org".parse().unwrap(), why)).to_vec(),
            admin_of: vec![AdminOf { domain: "ubuntu.com".parse().unwrap(), since }],
            ..nothing()
        };
        let mut view = MemberView::new(member, found);
        view.aliases = vec![alias("alice@ubuntu.com", Status::Suspended, Reason::Banned).into()];
        insta::assert_snapshot!(view);
        insta::assert_json_snapshot!(view);
    }

    #[test]
    fn unchecked_member_shows_no_name() {
        let mut member = test_member(MEMBER, "alice");
        member.observation = None;
        member.merged_into = MemberId::parse("01KATW4Y00YYYYYYYYYYYYYYYY").ok();
        member.check = Check { state: CheckState::Pending, checked_at: None, outcome: None, ..member.check };
        insta::assert_snapshot!(MemberView::new(member, nothing()));
    }
}
