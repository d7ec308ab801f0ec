use membermail_core::domain_mail::DmarcPolicy;
use membermail_core::language::Language;
use membermail_core::retirement::Retirement;
use membermail_texts::{Texts, parts};
use rstest::rstest;
use serde_json::{Value, json};
use strum::IntoEnumIterator as _;

use super::*;

const NOW: &str = "2026-11-24T10:00:00Z";

fn now() -> Timestamp {
    NOW.parse().unwrap()
}

fn configured() -> Domain {
    membermail_communities::community("ubuntu").unwrap().domains.swap_remove(0)
}

/// Runs `describe` with the words of a language.
fn in_language<T>(language: &str, describe: impl FnOnce(Wording<'_>) -> T) -> T {
    let texts = Texts::with_parts(&[parts::ADMIN, parts::DOMAINS]).unwrap();
    let community = membermail_communities::community("ubuntu").unwrap();
    describe(Wording::new(texts.translator(&[Language::parse(language).unwrap()]), &community))
}

fn line(fact: &Fact) -> String {
    let Fact { title, mood, state, advice, line, seen } = fact;
    format!("{title} | {mood} | {state} | {advice} | {} | {seen}\n", line.as_deref().unwrap_or_default())
}

fn stored(item: Value) -> StoredDomain {
    serde_json::from_value(item).unwrap()
}

fn all_unanswered() -> [Unanswered; 4] {
    [Unanswered::ServerFailure, Unanswered::Refused, Unanswered::TimedOut, Unanswered::Unusable]
}

#[rstest]
fn every_state_is_described(#[values("en", "ar", "de")] language: &str) {
    let since = now();
    let proofs = [
        Proof::Pending,
        Proof::Operator { since },
        Proof::Verified { since },
        Proof::Lapsing { since, gone_since: since },
        Proof::Lapsed { gone_since: since },
    ];
    let grace = SignedDuration::from_hours(7 * 24);
    let seen = [Seen::Found, Seen::OtherToken, Seen::Missing].into_iter().chain(all_unanswered().map(Seen::Unanswered));
    let text = in_language(language, |wording| {
        let mut text: String = proofs.iter().map(|state| line(&proof(state, grace, wording))).collect();
        text.push_str(&record_seen(&StoredDomain::default(), wording));
        text.push('\n');
        for seen in seen {
            let item = stored(json!({ "proof": { "state": "pending", "seen": seen, "checked_at": NOW } }));
            text.push_str(&format!("{}\n", record_seen(&item, wording)));
        }
        for problem in [None, Some(TeamProblem::Missing), Some(TeamProblem::Replaced)] {
            let mut item = StoredDomain::default();
            item.team_problem = problem;
            text.push_str(&line(&team(&configured(), &item, wording)));
        }
        for (cancelled, ended) in [(None, None), (None, Some(since)), (Some(since), None)] {
            let decided = Retirement { since, until: since, by: None, cancelled, ended };
            let mut item = StoredDomain::default();
            item.retirement = Some(decided);
            text.push_str(&line(&retirement(&item, wording).unwrap()));
        }
        text.push_str(&line(&last_sync(None, wording)));
        for state in RunState::iter() {
            let run = Run { state, ..Run::new(ulid::Ulid::nil(), &configured().domain, since, "r") };
            let counts = serde_json::from_value(json!({
                "participants": 9, "active": 7, "leaving": 1, "suspended": 2, "create": 0, "rename": 0, "restore": 0,
                "leave": 0, "suspend": 0, "retire": 0, "unchanged": 10, "removed": 0, "unverified": 0, "looked_up": 0,
            }));
            let run = Run { counts: (state == RunState::Applied).then(|| counts.unwrap()), ..run };
            text.push_str(&line(&last_sync(Some(&run), wording)));
        }
        text
    });
    insta::assert_snapshot!(format!("every_state_is_described.{language}"), text);
}

#[rstest]
fn every_mail_record_is_described(#[values("en", "ar", "de")] language: &str) {
    let why = Unanswered::TimedOut;
    let mx = [Mx::Present { servers: 1 }, Mx::Present { servers: 2 }, Mx::None, Mx::Null, Mx::Unanswered { why }];
    let spf = [
        Spf::Present,
        Spf::None,
        Spf::Several { records: 2 },
        Spf::TooManyLookups { lookups: 11 },
        Spf::Unanswered { why: Unanswered::Refused },
    ];
    let of = || "ubuntu.com".to_owned();
    let dmarc = [
        Dmarc::Present { policy: DmarcPolicy::None, of: of() },
        Dmarc::None,
        Dmarc::Several { records: 3 },
        Dmarc::Broken,
        Dmarc::Unanswered { why: Unanswered::Unusable },
    ];
    let checked_at = now();
    let text = in_language(language, |wording| {
        let mut text = String::new();
        for ((mx, spf), dmarc) in mx.into_iter().zip(spf).zip(dmarc) {
            let mut item = StoredDomain::default();
            item.mx = Some(Checked { state: mx, checked_at });
            item.spf = Some(Checked { state: spf, checked_at });
            item.dmarc = Some(Checked { state: dmarc, checked_at });
            text.extend(mail(&configured().domain, &item, wording).iter().map(line));
        }
        text.extend(mail(&configured().domain, &StoredDomain::default(), wording).iter().map(line));
        text
    });
    insta::assert_snapshot!(format!("every_mail_record_is_described.{language}"), text);
}
