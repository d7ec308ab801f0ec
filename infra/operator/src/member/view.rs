//! The view of a member. It contains no sealed data.

use std::fmt;

use jiff::Timestamp;
use membermail_core::address::DomainName;
use membermail_core::alias::Refusal;
use membermail_core::audit::Comment;
use membermail_core::eligibility::{Account, CheckState, Observation, Outcome};
use membermail_core::member::{Identity, MemberId, PersonName};
use membermail_store::{Check, ExportedAdmin, Member, StoredAlias};
use serde::Serialize;

use crate::output::{facts, time, word};
use crate::views::alias::{AliasView, alias_table};

/// The items of a member beside the profile.
pub(super) struct MemberData {
    pub(super) identities: Vec<Identity>,
    /// Including the aliases of members that were linked to this one.
    pub(super) aliases: Vec<StoredAlias>,
    pub(super) refusals: Vec<(DomainName, Refusal)>,
    pub(super) admin_of: Vec<ExportedAdmin>,
}

/// `member show`
#[derive(Debug, Serialize)]
pub(super) struct MemberView {
    member: MemberId,
    /// The name at the membership source, as of the last look-up.
    source_name: Option<PersonName>,
    account: Option<Account>,
    signed_code_of_conduct: Option<bool>,
    /// The time of that look-up.
    observed_at: Option<Timestamp>,
    banned_at: Option<Timestamp>,
    /// What the member was told about the ban.
    ban_reason: Option<Comment>,
    /// The member that this one was linked to.
    merged_into: Option<MemberId>,
    /// Members that were linked to this one.
    merged: Vec<MemberId>,
    identities: Vec<Identity>,
    admin_of: Vec<ExportedAdmin>,
    check: CheckView,
    aliases: Vec<AliasView>,
    refusals: Vec<RefusalView>,
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
    pub(super) fn new(member: Member, data: MemberData) -> Self {
        let MemberData { identities, aliases, refusals, admin_of } = data;
        let observation = member.observation.as_ref();
        let person = observation.map(|Observation { person, .. }| person);
        Self {
            source_name: member.name().cloned(),
            account: person.map(|person| person.account),
            signed_code_of_conduct: person.map(|person| person.signed_code_of_conduct),
            observed_at: observation.map(|observation| observation.observed_at),
            member: member.id,
            banned_at: member.banned_at,
            ban_reason: member.ban_reason,
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
        let (Some(name), Some(at)) = (&self.source_name, self.observed_at) else {
            return [("name", Some("not looked up yet".to_owned())), ("account", None)];
        };
        let signed = match self.signed_code_of_conduct {
            Some(true) => "Code of Conduct signed",
            _ => "Code of Conduct not signed",
        };
        let account = self.account.map(|account| format!("{}, {signed}", word(&account)));
        [("name", Some(format!("{name}, seen {}", time(at)))), ("account", account)]
    }
}

impl fmt::Display for MemberView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let CheckView { state, requested_at, checked_at, outcome } = &self.check;
        let check = checked_at.map_or_else(|| word(state), |at| format!("{}, last at {}", word(state), time(at)));
        let mut lines = vec![("member", Some(self.member.to_string()))];
        lines.extend(self.observed());
        lines.push(("banned", self.banned_at.map(|since| format!("since {}", time(since)))));
        lines.push(("told", self.ban_reason.as_ref().map(ToString::to_string)));
        lines.push(("linked to", self.merged_into.map(|survivor| survivor.to_string())));
        lines.extend(self.merged.iter().map(|other| ("linked here", Some(other.to_string()))));
        for Identity { issuer, subject } in &self.identities {
            lines.push(("identity", Some(format!("{subject} at {issuer}"))));
        }
        for ExportedAdmin { domain, since, permissions } in &self.admin_of {
            lines.push(("admin of", Some(format!("{domain}, since {}, may: {permissions}", time(*since)))));
        }
        lines.push(("requested", Some(time(*requested_at))));
        lines.push(("check", Some(check)));
        lines.push(("outcome", outcome.as_ref().map(outcome_in_words)));
        writeln!(f, "{}", facts(lines))?;
        for RefusalView { domain, why } in &self.refusals {
            writeln!(f, "no address at {domain}: {}", refusal_in_words(why))?;
        }
        if self.aliases.is_empty() {
            return writeln!(f, "\nno addresses");
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
        other => other.to_string(),
    }
}

fn refusal_in_words(refusal: &Refusal) -> String {
    match refusal {
        Refusal::Taken => "it belongs or belonged to another member".to_owned(),
        Refusal::DomainNotVerified => "the domain is not verified".to_owned(),
        Refusal::TeamUnavailable => "the domain's team cannot be checked".to_owned(),
        Refusal::DomainRetired => "the domain is retired".to_owned(),
        Refusal::TooMany => "the member has reached the limit (membermail member limit)".to_owned(),
        Refusal::Name(why) => format!("the name is {why}"),
    }
}

#[cfg(test)]
mod tests {
    use membermail_core::admin::Permissions;
    use membermail_core::alias::{Reason, Status};

    use super::*;
    use crate::member::test_member;
    use crate::views::tests::alias;

    const MEMBER: &str = "01KATW4Y00ZZZZZZZZZZZZZZZZ";

    fn no_data() -> MemberData {
        MemberData { identities: Vec::new(), aliases: Vec::new(), refusals: Vec::new(), admin_of: Vec::new() }
    }

    #[test]
    fn member_view() {
        let mut member = test_member(MEMBER, "alice");
        member.banned_at = Some(member.check.requested_at);
        member.merged.extend(MemberId::parse("01KATW4Y00YYYYYYYYYYYYYYYY"));
        let identities = ["https://login.example.org/+id/AAAAAAA", "https://login.example.org/+id/BBBBBBB"];
        let identities = identities.map(|subject| Identity {
            issuer: "https://login.example.org/+openid".to_owned(),
            subject: subject.parse().unwrap(),
        });
        let since = member.check.requested_at;
        let refused = [Refusal::DomainNotVerified, Refusal::TeamUnavailable, Refusal::TooMany];
        let data = MemberData {
            identities: identities.to_vec(),
            refusals: refused.map(|why| ("kubuntu.org".parse().unwrap(), why)).to_vec(),
            admin_of: vec![ExportedAdmin {
                domain: "ubuntu.com".parse().unwrap(),
                since,
                permissions: Permissions::all(),
            }],
            ..no_data()
        };
        let mut view = MemberView::new(member, data);
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
        insta::assert_snapshot!(MemberView::new(member, no_data()));
    }
}
