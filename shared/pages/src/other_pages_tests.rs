//! The other pages of a member, and those to which links in mails lead.

use askama::Template;
use jiff::Timestamp;
use membermail_core::audit::{Actor, Change, Entry, SwitchChange};
use membermail_core::member::MemberId;
use membermail_store::{EraseReceipt, Export, ListedSession, Session, UndoView};
use rstest::rstest;
use ulid::Ulid;

use super::{NOW, Rendering, destination_id, rendered};
use crate::data::{Erase, Erased, ExportPage};
use crate::history::{History, HistoryRow};
use crate::layout::Site;
use crate::proofs::{Confirm, Undo};
use crate::sessions::{SessionRow, Sessions};

fn now() -> Timestamp {
    NOW.parse().unwrap()
}

fn member() -> MemberId {
    MemberId::parse("01ARZ3NDEKTSV4RRFFQ69G5FAV").unwrap()
}

/// The content of a page, without the layout.
fn main_of(page: &impl Template) -> String {
    let page = rendered(page);
    let main = page.split_once("<main").unwrap().1.split_once("</main>").unwrap().0;
    let lines = main.lines().filter(|line| !line.is_empty());
    lines.fold(String::new(), |text, line| text + line + "\n")
}

fn check(name: &str, language: &str, page: impl Fn(Site<'_>) -> String) {
    let rendering = Rendering::new();
    let site = Site { csrf_token: Some("token".to_owned()), ..rendering.site(language) };
    insta::assert_snapshot!(format!("{name}.{language}"), page(site));
}

#[rstest]
fn pages_of_links(#[values("en", "ar", "de")] language: &str) {
    check("confirm_page", language, |site| {
        let page = Confirm {
            site,
            destination: destination_id(1).to_string(),
            mailbox: "alice@mail.example".to_owned(),
            code: "BCDF-2345".to_owned(),
            replaces: language == "ar",
        };
        main_of(&page)
    });
    check("undo_page", language, |site| {
        let until = now() + jiff::SignedDuration::from_hours(72);
        let view = UndoView { at: now(), until, is_reverted: false };
        main_of(&Undo { site, change: format!("{}.{}", member(), Ulid::from_parts(1, 1)), view })
    });
}

#[rstest]
fn page_of_sessions(#[values("en", "ar", "de")] language: &str) {
    let listed = ["one", "other"].map(|hash| ListedSession {
        hash: hash.to_owned(),
        session: Session { member: member(), created: now(), last_seen: now(), epoch: 0 },
    });
    check("sessions_page", language, |site| {
        let rows = listed.iter().map(|listed| SessionRow::new(listed, "one", site.wording)).collect();
        main_of(&Sessions { site, rows })
    });
}

#[rstest]
fn page_of_history(#[values("en", "ar", "de")] language: &str) {
    let address = "alice@ubuntu.com".to_owned().try_into().unwrap();
    let entry = Entry {
        id: Ulid::from_parts(1, 1),
        at: now(),
        actor: Actor::Operator,
        by: Some("olivia".to_owned()),
        comment: None,
        change: Change::Switch { member: member(), address, did: SwitchChange::Resumed },
        request_id: "request-1".to_owned(),
    };
    check("history_page", language, |site| {
        let rows = HistoryRow::new(&entry, &Default::default(), site.wording).into_iter().collect();
        main_of(&History { site, rows })
    });
    check("empty_history_page", language, |site| main_of(&History { site, rows: Vec::new() }));
}

#[rstest]
fn pages_of_data(#[values("en", "ar", "de")] language: &str) {
    check("export_page", language, |site| {
        let export = Export { format: "test", exported_at: now(), members: Vec::new() };
        main_of(&ExportPage::new(site, &export, "{ \"a\": \"<b>\" }".to_owned()))
    });
    check("erase_page", language, |site| main_of(&Erase { site }));
    let reserved = ["alice@ubuntu.com", "al@ubuntu.com"].map(|text| text.to_owned().try_into().unwrap());
    for (name, reserved) in [("erased_page", reserved.into()), ("erased_page_without_addresses", [].into())] {
        let receipt = EraseReceipt {
            at: now(),
            erased: vec![member()],
            reserved,
            destinations: 2,
            sessions: 1,
            admin_of: Vec::new(),
            entries: Vec::new(),
        };
        check(name, language, |site| main_of(&Erased { site, receipt: &receipt }));
    }
}
