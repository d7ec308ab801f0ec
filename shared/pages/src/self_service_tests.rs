//! Mailboxes, pauses, deletions and test messages on the account page.

use jiff::{SignedDuration, Timestamp};
use membermail_core::alias::{Alias, Pause, Reason, Status};
use membermail_core::destination::{ConfirmedBy, Failures, Pending};
use membermail_core::eligibility::{CheckState, Outcome};
use membermail_store::{StoredAlias, TestMessage};
use rstest::rstest;
use ulid::Ulid;

use super::{
    AccountState, End, Mailbox, MailboxRow, NOW, Rendering, Switch, View, alias, destination_id, languages, mailbox,
    state, view, view_in,
};

fn now() -> Timestamp {
    NOW.parse().unwrap()
}

fn ago(age: SignedDuration) -> Timestamp {
    now() - age
}

fn unconfirmed(number: u64, address: &str, created: Timestamp) -> Mailbox {
    let mut mailbox = mailbox(number, address);
    mailbox.destination.confirmed = None;
    mailbox.destination.created = created;
    mailbox
}

fn pending(attempts: u32, replaces: bool) -> Pending {
    let requested_at = ago(SignedDuration::from_mins(10));
    Pending { id: Ulid::from_parts(1, 1), requested_at, attempts, epoch: 0, replaces }
}

fn failures(reply: &str, failed_test: bool) -> Failures {
    let [since, last] = [48, 1].map(|hours| ago(SignedDuration::from_hours(hours)));
    Failures { since, last, reply: reply.parse().unwrap(), count: 3, failed_test }
}

fn active(destinations: &[u64], paused: Option<bool>) -> StoredAlias {
    let pause = |is_permanent| Pause { since: ago(SignedDuration::from_hours(1)), is_permanent };
    StoredAlias {
        destinations: destinations.iter().map(|number| destination_id(*number)).collect(),
        paused: paused.map(pause),
        ..alias(Status::Active, Reason::Eligible)
    }
}

fn until(stored: StoredAlias, until: Timestamp) -> StoredAlias {
    StoredAlias { alias: Alias { until: Some(until), ..stored.alias }, ..stored }
}

fn of<'a>(aliases: &'a [StoredAlias], mailboxes: &'a [Mailbox]) -> AccountState<'a> {
    AccountState { aliases, mailboxes, ..state(CheckState::Done, None) }
}

/// What a page offers for an address, so that a snapshot of all states reads like a table.
fn rows_as_text(view: &View) -> String {
    let mut text = String::new();
    for row in &view.rows {
        text.push_str(&format!("[{}] {}: {} {}\n", row.mood, row.title, row.state, row.advice));
        let Some(manage) = &row.manage else { continue };
        for choice in &manage.choices {
            let mark = if choice.is_chosen { "x" } else { " " };
            text.push_str(&format!("    [{mark}] {}\n", choice.label));
        }
        let test = manage.test.as_ref().map(|test| (test.id.is_some(), &test.result));
        text.push_str(&format!("    {:?} {:?} test {test:?}\n", manage.switch, manage.end));
    }
    for row in &view.mailboxes.rows {
        let MailboxRow { title, state, mood, advice, takes_code, can_resend, can_remove, .. } = row;
        text.push_str(&format!("  mailbox [{mood}] {title}: {state} {advice}\n"));
        text.push_str(&format!("    code {takes_code} resend {can_resend} remove {can_remove}\n"));
    }
    text
}

#[test]
fn every_route_is_described() {
    let mailboxes = [
        mailbox(1, "alice@mail.example"),
        mailbox(2, "alice@work.example"),
        unconfirmed(3, "alice@new.example", ago(SignedDuration::from_hours(1))),
        unconfirmed(4, "alice@old.example", ago(SignedDuration::from_hours(100))),
    ];
    let deleted = alias(Status::Suspended, Reason::Deleted);
    let later = now() + SignedDuration::from_hours(24);
    let aliases = [
        active(&[1], None),
        active(&[1, 2], None),
        active(&[1, 3], None),
        active(&[3], None),
        active(&[4], None),
        active(&[1], Some(false)),
        active(&[1], Some(true)),
        StoredAlias {
            paused: Some(Pause { since: now(), is_permanent: false }),
            ..alias(Status::Leaving, Reason::NotInTeam)
        },
        StoredAlias { destinations: vec![destination_id(3)], ..alias(Status::Leaving, Reason::NotInTeam) },
        until(deleted.clone(), later),
        until(deleted, ago(SignedDuration::from_hours(1))),
        alias(Status::Suspended, Reason::Returning),
        StoredAlias { destinations: Vec::new(), ..alias(Status::Suspended, Reason::Loop) },
        alias(Status::Suspended, Reason::NotInTeam),
        alias(Status::Retired, Reason::Erased),
    ];
    for language in &languages() {
        let view = view_in(&of(&aliases, &mailboxes), language);
        insta::assert_snapshot!(format!("every_route_is_described.{language}"), rows_as_text(&view));
    }
}

#[rstest]
#[case::restored_now(0, true, CheckState::Done, Some(2))]
#[case::grant_is_lost(120, true, CheckState::Done, None)]
#[case::not_eligible(0, false, CheckState::Done, None)]
#[case::not_checked_yet(0, false, CheckState::Pending, Some(2))]
fn page_refreshes_until_address_returns(
    #[case] seconds: i64,
    #[case] is_eligible: bool,
    #[case] check: CheckState,
    #[case] expected: Option<u8>,
) {
    let mut returning = alias(Status::Suspended, Reason::Returning);
    returning.alias.since = ago(SignedDuration::from_secs(seconds));
    let outcome = match is_eligible {
        true => Outcome::Eligible { domains: vec![returning.alias.address.domain.clone()] },
        false => Outcome::NoTeam,
    };
    let aliases = [returning];
    assert_eq!(view(&AccountState { aliases: &aliases, ..state(check, Some(&outcome)) }).refresh, expected);
}

#[test]
fn every_mailbox_state_is_described() {
    let mut mailboxes: Vec<_> = (1..=9).map(|number| mailbox(number, &format!("box{number}@mail.example"))).collect();
    let [_, by_provider, failing, failed_test, fresh, asked, replacing, last, removed] = &mut mailboxes[..] else {
        panic!("nine mailboxes")
    };
    by_provider.destination.confirmed.as_mut().unwrap().by = ConfirmedBy::Provider;
    failing.destination.failures = Some(failures("5.2.2", false));
    failed_test.destination.failures = Some(failures("5.7.1", true));
    for mailbox in [&mut *fresh, &mut *asked, &mut *replacing, &mut *last] {
        mailbox.destination.confirmed = None;
    }
    asked.destination.pending = Some(pending(0, false));
    replacing.destination.pending = Some(pending(4, true));
    last.destination.pending = Some(pending(5, false));
    removed.destination.removed = Some(now());
    for language in &languages() {
        let view = view_in(&of(&[active(&[1], None)], &mailboxes), language);
        insta::assert_snapshot!(format!("every_mailbox_state_is_described.{language}"), rows_as_text(&view));
    }
}

/// An address must not seem to work before the mailbox is confirmed.
#[test]
fn unconfirmed_address_does_not_forward() {
    for created in [now(), ago(SignedDuration::from_hours(200))] {
        let view = view(&of(&[active(&[3], None)], &[unconfirmed(3, "alice@new.example", created)]));
        assert!(!format!("{view:?}").contains("now forwards to"), "{view:?}");
    }
}

#[test]
fn several_mailboxes_are_joined() {
    let mailboxes = [mailbox(1, "alice@mail.example"), mailbox(2, "alice@work.example")];
    let view = view(&of(&[active(&[2, 1], None)], &mailboxes));
    assert_eq!(view.rows[0].state, "alice@ubuntu.com now forwards to alice@work.example, alice@mail.example");
}

#[test]
fn linked_copy_is_shown_once() {
    let linked = |mut mailbox: Mailbox| {
        mailbox.is_own = false;
        mailbox
    };
    let mailboxes = [
        linked(mailbox(1, "both@mail.example")),
        mailbox(2, "both@mail.example"),
        linked(mailbox(3, "theirs@mail.example")),
        unconfirmed(4, "theirs@mail.example", now()),
    ];
    let view = view(&of(&[active(&[1], None)], &mailboxes));
    let ids: Vec<_> = view.mailboxes.rows.iter().map(|row| row.id.clone()).collect();
    assert_eq!(ids, [2, 3].map(|number| destination_id(number).to_string()));
    // The alias of the linked member lists its own id for the same mailbox.
    let choices: Vec<_> = view.rows[0].manage.as_ref().unwrap().choices.iter().map(|choice| choice.is_chosen).collect();
    assert_eq!(choices, [true, false]);
}

#[rstest]
#[case::requested(None, None, None, "It is on its way")]
#[case::sent(Some("2026-11-28T11:30:00Z"), None, None, "was sent on 28 November 2026, 11:30 UTC")]
#[case::rejected(None, Some("5.7.1"), None, "was not accepted (status 5.7.1)")]
#[case::bounced(Some("2026-11-28T11:30:00Z"), None, Some("5.2.2"), "alice@mail.example refused it (status 5.2.2)")]
fn test_message_is_reported(
    #[case] accepted: Option<&str>,
    #[case] rejected: Option<&str>,
    #[case] bounced: Option<&str>,
    #[case] expected: &str,
) {
    let stored = active(&[1], None);
    let test = TestMessage {
        id: Ulid::from_parts(1, 2),
        address: stored.alias.address.clone(),
        requested: ago(SignedDuration::from_hours(2)),
        accepted: accepted.map(|at| at.parse().unwrap()),
        rejected: rejected.map(|reply| reply.parse().unwrap()),
    };
    let mut mailbox = mailbox(1, "alice@mail.example");
    mailbox.destination.failures = bounced.map(|reply| failures(reply, true));
    let (aliases, mailboxes, tests) = ([stored], [mailbox], [test]);
    let view = view(&AccountState { tests: &tests, ..of(&aliases, &mailboxes) });
    let result = &view.rows[0].manage.as_ref().unwrap().test.as_ref().unwrap().result;
    assert!(result.contains(expected), "{result}");
}

/// The new id of a test message would change the page with each refresh.
#[test]
fn refreshing_page_stays_the_same() {
    let aliases = [active(&[1], None)];
    let mailboxes = [mailbox(1, "alice@mail.example")];
    let pages = [1, 2].map(|number| {
        let test_id = Some(Ulid::from_parts(number, 0));
        let state = AccountState { test_id, ..of(&aliases, &mailboxes) };
        Rendering::new().account(&AccountState { check: CheckState::Pending, ..state }, Some("token".into()), "en")
    });
    assert_eq!(pages[0], pages[1]);
}

#[test]
fn only_possible_forms_are_offered() {
    let aliases = [active(&[1], None), active(&[1], Some(true)), alias(Status::Suspended, Reason::NotInTeam)];
    let view = view(&of(&aliases, &[mailbox(1, "alice@mail.example")]));
    let manage: Vec<_> = view.rows.iter().map(|row| row.manage.as_ref()).collect();
    let [Some(works), Some(paused), None] = manage[..] else { panic!("{manage:?}") };
    assert_eq!((works.switch, works.end), (Some(Switch::Pause), Some(End::Delete)));
    assert_eq!((paused.switch, paused.end, &paused.test), (Some(Switch::Resume), Some(End::Delete), &None));
    // The only mailbox of an address has to stay.
    assert!(!view.mailboxes.rows[0].can_remove);
}

#[rstest]
#[case::english("en")]
#[case::arabic("ar")]
fn page_with_forms(#[case] language: &str) {
    let mut asked = unconfirmed(2, "alice@new.example", now());
    asked.destination.pending = Some(pending(1, false));
    let mailboxes = [mailbox(1, "alice@mail.example"), asked];
    let deleted = until(alias(Status::Suspended, Reason::Deleted), now() + SignedDuration::from_hours(24));
    let aliases = [active(&[1], None), active(&[1], Some(false)), deleted];
    let page = Rendering::new().account(&of(&aliases, &mailboxes), Some("token".into()), language);
    insta::assert_snapshot!(format!("page_with_forms.{language}"), page);
}

/// Without a session, the page has no form except for the language.
#[test]
fn forms_need_a_session() {
    let aliases = [active(&[1], None)];
    let mailboxes = [mailbox(1, "alice@mail.example")];
    let page = Rendering::new().account(&of(&aliases, &mailboxes), None, "en");
    assert_eq!(page.matches("<form").count(), 1, "{page}");
}
