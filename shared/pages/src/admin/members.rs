//! The members of a domain: the search, one member, and the preview of a ban.

use std::collections::BTreeSet;

use askama::Template;
use jiff::Timestamp;
use membermail_core::address::DomainName;
use membermail_core::audit::Comment;
use membermail_core::ban::BanRefusal;
use membermail_core::eligibility::{Account, CheckState, Outcome};
use membermail_store::{Member, StoredAlias};

use super::Console;
use super::addresses::{AddressRow, MemberLink, name_of};
use super::audit::AuditRow;
use crate::layout::Site;
use crate::wording::Wording;

/// The search.
#[derive(Template)]
#[template(path = "admin/members.html")]
pub struct Members<'a> {
    /// The layout.
    pub site: Site<'a>,
    /// The frame.
    pub console: Console<'a>,
    /// What was typed; `None` before a search.
    pub typed: Option<String>,
    /// The members that were found.
    pub found: Vec<MemberRow>,
}

/// A member that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberRow {
    /// The member.
    pub link: MemberLink,
    /// The addresses in the domain.
    pub addresses: Vec<String>,
    /// Whether a ban is in force.
    pub is_banned: bool,
}

/// What a page shows of a member.
pub struct MemberState<'a> {
    /// The member.
    pub member: &'a Member,
    /// The addresses in the domains that the admin may see, of the member and those linked to them.
    pub aliases: &'a [StoredAlias],
    /// The domains that the admin may see.
    pub domains: &'a BTreeSet<DomainName>,
    /// The time.
    pub now: Timestamp,
}

/// One member.
#[derive(Template)]
#[template(path = "admin/member.html")]
pub struct MemberPage<'a> {
    /// The layout.
    pub site: Site<'a>,
    /// The frame.
    pub console: Console<'a>,
    /// The name at the membership source, or our own id.
    pub name: String,
    /// Names and values.
    pub facts: Vec<(String, String)>,
    /// The addresses.
    pub rows: Vec<AddressRow>,
    /// What the admin can do.
    pub ban: BanStep,
    /// The path of the page or form of that step below the base.
    pub ban_path: String,
    /// The entries that concern the domains, newest first.
    pub history: Vec<AuditRow>,
}

/// What an admin can do about a ban.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BanStep {
    /// Preview a ban.
    Preview,
    /// Lift the ban.
    Lift,
    /// Nothing, because of a rule.
    Refused(BanRefusal),
    /// Nothing, without the permission.
    NotPermitted,
}

impl BanStep {
    /// Why the admin can do nothing: the id of the message.
    pub(crate) fn refusal(&self) -> Option<&'static str> {
        match self {
            Self::Refused(refusal) => Some(refusal_id(*refusal)),
            Self::Preview | Self::Lift | Self::NotPermitted => None,
        }
    }
}

/// The id of the message that explains a refusal.
pub fn refusal_id(refusal: BanRefusal) -> &'static str {
    match refusal {
        BanRefusal::Oneself => "members-ban-oneself",
        BanRefusal::OtherDomain => "members-ban-other-domain",
        BanRefusal::OtherAdmin => "members-ban-other-admin",
    }
}

impl<'a> MemberPage<'a> {
    /// The page of a member.
    pub fn new(
        site: Site<'a>,
        console: Console<'a>,
        state: &MemberState<'_>,
        ban: BanStep,
        history: Vec<AuditRow>,
    ) -> Self {
        let member = state.member;
        let form = if ban == BanStep::Lift { "unban" } else { "ban" };
        let ban_path = console.path(&format!("/members/{}/{form}", member.id));
        let facts = facts(state, site.wording);
        let rows = state.aliases.iter().map(|stored| AddressRow::new(stored, site.wording)).collect();
        Self { name: name_of(member), facts, rows, ban, ban_path, history, site, console }
    }

    /// The ban or unban form, as part of the path.
    fn is_banned(&self) -> bool {
        self.ban == BanStep::Lift
    }
}

fn facts(state: &MemberState<'_>, wording: Wording<'_>) -> Vec<(String, String)> {
    let MemberState { member, now, .. } = state;
    let fact = |id: &str, value: String| (wording.part("members-fact", id), value);
    let mut facts = Vec::new();
    if let Some(banned_at) = member.banned_at {
        facts.push(fact("banned", wording.moment(banned_at)));
        facts.extend(member.ban_reason.as_ref().map(|reason| fact("ban-reason", reason.to_string())));
    }
    facts.push(fact("member", member.id.to_string()));
    if member.is_erased() {
        facts.push(fact("data", wording.text("members-erased")));
    }
    if let Some(observation) = &member.observation {
        let person = &observation.person;
        facts.push(fact("account", wording.part("members-account", account_part(person.account))));
        if !person.signed_code_of_conduct {
            facts.push(fact("code-of-conduct", wording.text("members-unsigned")));
        }
        facts.push(fact("observed", wording.moment(observation.observed_at)));
    }
    let check = match member.check.state_at(*now) {
        CheckState::Pending => Some("pending"),
        CheckState::Delayed => Some("delayed"),
        CheckState::GivenUp => Some("given-up"),
        CheckState::Done => None,
    };
    facts.extend(check.map(|part| fact("check", wording.part("members-check", part))));
    if let Some(outcome) = &member.check.outcome {
        facts.push(fact("outcome", outcome_in_words(outcome, state.domains, wording)));
        facts.extend(member.check.checked_at.map(|at| fact("checked", wording.moment(at))));
    }
    facts
}

/// The outcome of the last check. The eligibility for domains that the admin may not see is left out.
fn outcome_in_words(outcome: &Outcome, domains: &BTreeSet<DomainName>, wording: Wording<'_>) -> String {
    let Outcome::Eligible { domains: eligible } = outcome else {
        return wording.part("members-outcome", outcome.into());
    };
    let shown: Vec<_> = eligible.iter().filter(|domain| domains.contains(domain)).map(DomainName::as_str).collect();
    if shown.is_empty() {
        return wording.part("members-outcome", "eligible-elsewhere");
    }
    let list = shown.join(&wording.text("admin-list-separator"));
    wording.part_with("members-outcome", "eligible", &[("domains", list.into())])
}

fn account_part(account: Account) -> &'static str {
    match account {
        Account::Active => "active",
        Account::NoPreferredAddress => "no-preferred-address",
        Account::NeverActivated => "never-activated",
        Account::Deactivated => "deactivated",
        Account::Suspended => "suspended",
        Account::Closed => "closed",
        Account::Inactive => "inactive",
    }
}

/// The preview of a ban.
#[derive(Template)]
#[template(path = "admin/ban.html")]
pub struct BanPage<'a> {
    /// The layout.
    pub site: Site<'a>,
    /// The frame.
    pub console: Console<'a>,
    /// The name at the membership source, or our own id.
    pub name: String,
    /// The addresses that will be switched off.
    pub addresses: Vec<String>,
    /// The rights that the member loses; empty if they are no admin.
    pub admin_of: String,
    /// That other sign-ins are banned too; empty if there are none.
    pub linked: String,
    /// What was typed as the reason.
    pub typed: String,
    /// Why the reason was not accepted; empty if it was not typed yet.
    pub problem: String,
    /// The path of the member below the base.
    pub member_path: String,
}

impl<'a> BanPage<'a> {
    /// The preview of a ban that affects these aliases, and an admin of these domains.
    pub fn new(
        site: Site<'a>,
        console: Console<'a>,
        member: &Member,
        aliases: &[StoredAlias],
        admin_of: &BTreeSet<DomainName>,
    ) -> Self {
        let wording = site.wording;
        let forwards = |stored: &&StoredAlias| stored.alias.status.forwards();
        let admin_of = match admin_of.is_empty() {
            true => String::new(),
            false => {
                let domains: Vec<_> = admin_of.iter().map(DomainName::as_str).collect();
                let domains = domains.join(&wording.text("admin-list-separator"));
                wording.part_with("members-ban", "admin", &[("domains", domains.into())])
            }
        };
        let linked = if member.merged.is_empty() { String::new() } else { wording.part("members-ban", "linked") };
        Self {
            name: name_of(member),
            addresses: aliases.iter().filter(forwards).map(|stored| stored.alias.address.to_string()).collect(),
            admin_of,
            linked,
            typed: String::new(),
            problem: String::new(),
            member_path: console.path(&format!("/members/{}", member.id)),
            site,
            console,
        }
    }

    /// The same page, after a reason that is missing or too long.
    #[must_use]
    pub fn with_problem(self, typed: String) -> Self {
        let max = Comment::MAX_CHARACTERS.to_string();
        let problem = self.site.wording.part_with("members-ban", "problem", &[("max", max.into())]);
        Self { typed, problem, ..self }
    }

    fn heading(&self) -> String {
        self.site.wording.part_with("members-ban", "heading", &[("name", self.name.as_str().into())])
    }

    fn hint(&self) -> String {
        let max = Comment::MAX_CHARACTERS.to_string();
        self.site.wording.part_with("members-ban", "hint", &[("max", max.into())])
    }
}

#[cfg(test)]
#[path = "members_tests.rs"]
mod tests;
