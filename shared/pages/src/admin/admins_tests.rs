use membermail_core::alias::Reason;
use membermail_texts::{Texts, parts};

use super::*;

fn known(permissions: &[Permission]) -> KnownAdmin<'static> {
    KnownAdmin {
        id: MemberId::parse("01ARZ3NDEKTSV4RRFFQ69G5FAV").unwrap(),
        name: None,
        is_self: false,
        permissions: permissions.iter().copied().collect(),
        since: "2026-11-24T10:00:00Z".parse().unwrap(),
        by: "amy".to_owned(),
        why_not: None,
    }
}

#[test]
fn form_has_own_permissions_only() {
    let texts = Texts::with_parts(&[parts::ADMIN, parts::ADMINS]).unwrap();
    let community = membermail_communities::community("ubuntu").unwrap();
    let wording = Wording::new(texts.translator([]), &community);
    let form = |own: &[Permission], has: &[Permission]| {
        let row = AdminRow::new(&known(has), own.iter().copied().collect(), wording);
        row.form.map(|form| form.choices.into_iter().map(|choice| (choice.value, choice.is_chosen)).collect::<Vec<_>>())
    };
    let own = [Permission::Appoint, Permission::Ban];
    assert_eq!(form(&own, &[Permission::Ban]), Some(vec![("ban", true), ("appoint", false)]));
    assert_eq!(form(&own, &[Permission::Decide]), None, "an admin with another permission");
    assert_eq!(form(&[Permission::Ban], &[Permission::Ban]), None, "without the permission to appoint");
}

#[test]
fn reasons_have_words_in_each_language() {
    let texts = Texts::with_parts(&[parts::ADMIN, parts::ADMINS]).unwrap();
    let community = membermail_communities::community("ubuntu").unwrap();
    for translator in texts.each() {
        let wording = Wording::new(translator, &community);
        for why in [
            CannotAct::NeverLookedUp,
            CannotAct::Banned,
            CannotAct::Account(Reason::Deactivated),
            CannotAct::NoActiveAddress,
            CannotAct::Erased,
        ] {
            let words = why_not_in_words(why, wording);
            assert!(!words.is_empty() && !words.contains("admins-"), "{words}");
        }
    }
}
