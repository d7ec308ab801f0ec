use jiff::Timestamp;
use membermail_core::alias::{Alias, Pause, Reason, Status};
use membermail_core::audit::{Actor, AdminChange, Change, Entry, LinkChange, MemberChange, SwitchChange};
use membermail_core::member::{Fingerprint, MemberId, ObservedName};
use membermail_core::random::CountingRandom;
use membermail_core::restoring::NotRestorable;
use membermail_store::{AddressSearch, KeyContext};
use membermail_texts::parts;
use serde_json::json;
use strum::IntoEnumIterator as _;
use ulid::Ulid;

use super::*;
use crate::admin::Section;
use crate::admin::addresses::{AddressPage, Addresses, RestoreStep};
use crate::admin::member_history::history_row;
use crate::admin::rendering::{self, Rendering, main_of};

const ID: &str = "01ARZ3NDEKTSV4RRFFQ69G5FAV";

fn console<'a>(site: &Site<'a>) -> Console<'a> {
    rendering::console(site, Section::Members)
}

fn ubuntu() -> DomainName {
    "ubuntu.com".parse().unwrap()
}

fn now() -> Timestamp {
    "2026-11-24T10:00:00Z".parse().unwrap()
}

fn stored(name: &str, status: Status, reason: Reason) -> StoredAlias {
    let alias = Alias {
        address: format!("{name}@ubuntu.com").try_into().unwrap(),
        member: MemberId::parse(ID).unwrap(),
        known_as: ObservedName { name: name.parse().unwrap(), fingerprint: Fingerprint(7), observed_at: now() },
        status,
        reason,
        since: now(),
        until: (status == Status::Leaving).then(|| "2026-12-08T10:00:00Z".parse().unwrap()),
        version: 1,
        erase_pending: false,
    };
    StoredAlias { alias, destinations: Vec::new(), paused: None }
}

fn member(outcome: &Outcome, account: Account) -> Member {
    serde_json::from_value(json!({
        "id": ID,
        "session_epoch": 0,
        "banned_at": "2026-11-24T10:00:00Z",
        "ban_reason": "You sent <b>advertisements</b>.",
        "merged": ["01KATW4Y00ZZZZZZZZZZZZZZZZ"],
        "observation": {
            "name": "alice",
            "fingerprint": 7,
            "account": account,
            "signed_code_of_conduct": false,
            "observed_at": 1_795_514_400_000_000_u64,
        },
        "salt": KeyContext::new(&CountingRandom::default()),
        "state": "delayed",
        "requested_at": "2026-11-24T10:00:00Z",
        "checked_at": 1_795_514_400_000_000_u64,
        "outcome": outcome,
    }))
    .unwrap()
}

fn eligible() -> Outcome {
    Outcome::Eligible { domains: vec!["kubuntu.org".parse().unwrap(), ubuntu()] }
}

fn changes() -> Vec<Change> {
    let member = MemberId::parse(ID).unwrap();
    let address = || "alice@ubuntu.com".to_owned().try_into().unwrap();
    let alias = stored("alice", Status::Suspended, Reason::Banned).alias;
    let before = stored("alice", Status::Active, Reason::Eligible).alias;
    let mut all = vec![Change::of_alias(&alias, Some(&before), None)];
    let did = SwitchChange::RestoreRequested;
    all.push(Change::Switch { member, address: address(), did });
    for did in [MemberChange::Banned, MemberChange::Unbanned, MemberChange::Erased, MemberChange::Imported] {
        all.push(Change::Member { member, did });
    }
    all.extend([LinkChange::Linked, LinkChange::Unlinked].map(|did| Change::Link { member, other: member, did }));
    all.extend([Some(3), None].map(|limit| Change::Limit { member, domain: ubuntu(), limit }));
    for did in [AdminChange::Added, AdminChange::Changed, AdminChange::Removed] {
        all.push(Change::Admin { member, domain: ubuntu(), did, permissions: None });
    }
    all
}

fn history(wording: Wording<'_>) -> Vec<AuditRow> {
    let entry = |change| Entry {
        id: Ulid::nil(),
        at: now(),
        actor: Actor::Admin,
        by: Some(ID.to_owned()),
        comment: None,
        change,
        request_id: "request-1".to_owned(),
    };
    changes().into_iter().map(|change| history_row(&entry(change), Some("amy"), wording).unwrap()).collect()
}

#[test]
fn pages_match_snapshots() {
    let rendering = Rendering::with(&[parts::AUDIT, parts::MEMBERS]);
    for language in ["ar", "de", "en"] {
        let site = rendering.site(language);
        let mut paused = stored("paused", Status::Active, Reason::Eligible);
        paused.paused = Some(Pause { since: now(), is_permanent: true });
        let aliases = [
            stored("alice", Status::Active, Reason::Eligible),
            stored("leaver", Status::Leaving, Reason::NotInTeam),
            stored("off", Status::Suspended, Reason::BanLifted),
            paused.clone(),
        ];
        let next = "paused".parse().unwrap();
        let search = AddressSearch { prefix: "a".parse().unwrap(), status: None, after: "a".parse().ok() };
        let page = Addresses::new(site.clone(), console(&site), &search, &aliases, Some(&next));
        insta::assert_snapshot!(format!("addresses.{language}"), main_of(&page));
        let member = member(&eligible(), Account::Active);
        let page = AddressPage::new(
            site.clone(),
            console(&site),
            &paused,
            &member,
            RestoreStep::Request,
            history(site.wording),
        );
        insta::assert_snapshot!(format!("address.{language}"), main_of(&page));
        let domains = BTreeSet::from([ubuntu()]);
        let state = MemberState { member: &member, aliases: &aliases, domains: &domains, now: now() };
        let page = MemberPage::new(site.clone(), console(&site), &state, BanStep::Lift, Vec::new());
        insta::assert_snapshot!(format!("member.{language}"), main_of(&page));
        let page = BanPage::new(site.clone(), console(&site), &member, &aliases, &domains);
        insta::assert_snapshot!(format!("ban.{language}"), main_of(&page.with_problem("<b>".to_owned())));
        let typed = Some("bob".to_owned());
        let page = Members { site: site.clone(), console: console(&site), typed, found: Vec::new() };
        insta::assert_snapshot!(format!("members.{language}"), main_of(&page));
    }
}

/// A missing text would be shown as its id.
#[test]
fn each_state_has_words() {
    let rendering = Rendering::with(&[parts::AUDIT, parts::MEMBERS]);
    let outcomes = [
        Outcome::Banned,
        Outcome::Unknown,
        Outcome::Closed,
        Outcome::NeverActivated,
        Outcome::Deactivated,
        Outcome::Suspended,
        Outcome::NoPreferredAddress,
        Outcome::NotValid,
        Outcome::CodeOfConductUnsigned,
        Outcome::NoTeam,
        Outcome::TeamsUnavailable,
        eligible(),
    ];
    let accounts = [
        Account::Active,
        Account::NoPreferredAddress,
        Account::NeverActivated,
        Account::Deactivated,
        Account::Suspended,
        Account::Closed,
        Account::Inactive,
    ];
    let refusals = [BanRefusal::Oneself, BanRefusal::OtherDomain, BanRefusal::OtherAdmin].map(BanStep::Refused);
    let steps = [
        NotRestorable::Active,
        NotRestorable::Deleted,
        NotRestorable::Banned,
        NotRestorable::Loop,
        NotRestorable::DomainRetired,
        NotRestorable::Ended,
    ];
    let steps = steps.map(RestoreStep::NotPossible).into_iter();
    let steps: Vec<_> = steps.chain([RestoreStep::Request, RestoreStep::Running, RestoreStep::NotPermitted]).collect();
    for language in ["ar", "de", "en"] {
        let site = rendering.site(language);
        let check = |page: &dyn askama::DynTemplate| {
            let page = page.dyn_render().unwrap();
            let main = page.split_once("<main").unwrap().1.split_once("</main>").unwrap().0;
            assert!(
                !main.contains(">members-") && !main.contains("> </") && !main.contains("<dd><bdi></bdi>"),
                "{main}"
            );
        };
        let alice = member(&eligible(), Account::Active);
        for reason in Reason::iter() {
            for step in &steps {
                let stored = stored("alice", Status::Suspended, reason);
                check(&AddressPage::new(site.clone(), console(&site), &stored, &alice, *step, history(site.wording)));
            }
        }
        for domains in [BTreeSet::from([ubuntu()]), BTreeSet::new()] {
            for outcome in &outcomes {
                for account in accounts {
                    let member = member(outcome, account);
                    let state = MemberState { member: &member, aliases: &[], domains: &domains, now: now() };
                    for ban in refusals.into_iter().chain([BanStep::Preview, BanStep::NotPermitted]) {
                        check(&MemberPage::new(site.clone(), console(&site), &state, ban, Vec::new()));
                    }
                }
            }
        }
    }
}
