//! What the probes of the components found, and what that says about a component.

use jiff::{SignedDuration, Timestamp};
use strum::Display;

use super::{Component, Sample};
use crate::schedule::is_overdue;

/// What a probe says about its component.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Verdict {
    /// It works.
    Works,
    /// It does not work.
    Fails(Problem),
    /// There is nothing to judge by, such as before the first sync. It counts neither way.
    NoEvidence,
}

/// What does not work, for the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Display)]
pub enum Problem {
    /// `GET /health` is no 200.
    #[strum(to_string = "the health check of the site fails")]
    Health,
    /// `GET /sign-in` is no redirect.
    #[strum(to_string = "the sign-in of the site does not redirect to the provider")]
    SignIn,
    /// The provider does not answer, or with a 5xx.
    #[strum(to_string = "the sign-in provider does not answer")]
    Provider,
    /// A domain has had no finished sync for two periods.
    #[strum(to_string = "a domain has had no finished sync for two periods")]
    LateSync,
    /// A domain has had no DNS check for two periods.
    #[strum(to_string = "a domain has had no DNS check for two periods")]
    LateDomainCheck,
    /// No DNS query of the last checks had an answer.
    #[strum(to_string = "no DNS query has an answer")]
    NoDnsAnswer,
}

impl Verdict {
    /// The sample to record, if there is evidence.
    pub fn sample(self, component: Component, at: Timestamp) -> Option<Sample> {
        let is_ok = match self {
            Self::Works => true,
            Self::Fails(_) => false,
            Self::NoEvidence => return None,
        };
        Some(Sample { component, is_ok, at })
    }
}

/// A response to a probe. Only its status line and whether it redirects count; the body is not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// Whether the header `Location` leads to another host.
    pub leads_away: bool,
}

/// The responses of the site and of the sign-in provider; none without a response in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SiteAnswers {
    /// Of `GET /health`.
    pub health: Option<Answer>,
    /// Of `GET /sign-in`.
    pub sign_in: Option<Answer>,
    /// Of the provider. A redirect or a client error counts: it answers.
    pub provider: Option<Answer>,
}

/// Whether members can sign in.
pub fn sign_in(answers: &SiteAnswers) -> Verdict {
    if answers.health.is_none_or(|answer| answer.status != 200) {
        return Verdict::Fails(Problem::Health);
    }
    if !answers.sign_in.is_some_and(|answer| (300..400).contains(&answer.status) && answer.leads_away) {
        return Verdict::Fails(Problem::SignIn);
    }
    if answers.provider.is_none_or(|answer| answer.status >= 500) {
        return Verdict::Fails(Problem::Provider);
    }
    Verdict::Works
}

/// Whether all domains are synced in time. `last` is the last finished sync of each domain, or since when it has been waiting
/// for the first one; none if no sync was requested yet.
pub fn syncs(last: impl IntoIterator<Item = Option<Timestamp>>, now: Timestamp, period: SignedDuration) -> Verdict {
    let mut verdict = Verdict::NoEvidence;
    for last in last.into_iter().flatten() {
        if is_overdue(last, now, period) {
            return Verdict::Fails(Problem::LateSync);
        }
        verdict = Verdict::Works;
    }
    verdict
}

/// The last DNS check of a domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DomainChecked {
    /// When DNS was queried.
    pub at: Timestamp,
    /// Whether there was a usable answer.
    pub is_answered: bool,
}

/// Whether all domains are checked in time. A domain that was never checked, such as one without an admin, has no entry. A
/// name server that fails is a problem of its domain; if all fail, it is ours.
pub fn domain_checks(
    checked: impl IntoIterator<Item = DomainChecked>,
    now: Timestamp,
    period: SignedDuration,
) -> Verdict {
    let checked: Vec<_> = checked.into_iter().collect();
    if checked.is_empty() {
        return Verdict::NoEvidence;
    }
    if checked.iter().any(|checked| is_overdue(checked.at, now, period)) {
        return Verdict::Fails(Problem::LateDomainCheck);
    }
    if checked.iter().any(|checked| checked.is_answered) {
        Verdict::Works
    } else {
        Verdict::Fails(Problem::NoDnsAnswer)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const NOW: &str = "2026-11-24T10:00:00Z";

    fn answer(status: u16, leads_away: bool) -> Option<Answer> {
        Some(Answer { status, leads_away })
    }

    #[rstest]
    #[case::all_work(answer(200, false), answer(303, true), answer(200, false), Verdict::Works)]
    #[case::provider_redirects(answer(200, false), answer(302, true), answer(302, true), Verdict::Works)]
    #[case::provider_refuses(answer(200, false), answer(303, true), answer(400, false), Verdict::Works)]
    #[case::no_site(None, None, answer(200, false), Verdict::Fails(Problem::Health))]
    #[case::health_fails(answer(503, false), answer(303, true), answer(200, false), Verdict::Fails(Problem::Health))]
    #[case::health_is_moved(answer(301, true), answer(303, true), answer(200, false), Verdict::Fails(Problem::Health))]
    #[case::sign_in_page(answer(200, false), answer(200, false), answer(200, false), Verdict::Fails(Problem::SignIn))]
    #[case::sign_in_fails(answer(200, false), answer(503, false), answer(200, false), Verdict::Fails(Problem::SignIn))]
    #[case::to_ourselves(answer(200, false), answer(303, false), answer(200, false), Verdict::Fails(Problem::SignIn))]
    #[case::no_provider(answer(200, false), answer(303, true), None, Verdict::Fails(Problem::Provider))]
    #[case::provider_fails(
        answer(200, false),
        answer(303, true),
        answer(502, false),
        Verdict::Fails(Problem::Provider)
    )]
    fn sign_in_needs_site_and_provider(
        #[case] health: Option<Answer>,
        #[case] sign_in_answer: Option<Answer>,
        #[case] provider: Option<Answer>,
        #[case] expected: Verdict,
    ) {
        assert_eq!(sign_in(&SiteAnswers { health, sign_in: sign_in_answer, provider }), expected);
    }

    fn ago(minutes: i64) -> Timestamp {
        NOW.parse::<Timestamp>().unwrap() - SignedDuration::from_mins(minutes)
    }

    #[rstest]
    #[case::no_domain(&[], Verdict::NoEvidence)]
    #[case::never(&[None, None], Verdict::NoEvidence)]
    #[case::recent(&[Some(5), Some(150)], Verdict::Works)]
    #[case::new_domain(&[Some(5), None], Verdict::Works)]
    #[case::one_late(&[Some(5), Some(151)], Verdict::Fails(Problem::LateSync))]
    fn late_sync_fails(#[case] minutes: &[Option<i64>], #[case] expected: Verdict) {
        let last = minutes.iter().map(|minutes| minutes.map(ago));
        assert_eq!(syncs(last, ago(0), SignedDuration::from_hours(1)), expected);
    }

    #[rstest]
    #[case::never(&[], Verdict::NoEvidence)]
    #[case::recent(&[(5, true)], Verdict::Works)]
    #[case::one_without_answer(&[(5, true), (5, false)], Verdict::Works)]
    #[case::no_answer(&[(5, false), (9, false)], Verdict::Fails(Problem::NoDnsAnswer))]
    #[case::one_late(&[(5, true), (151, true)], Verdict::Fails(Problem::LateDomainCheck))]
    fn late_or_unanswered_checks_fail(#[case] checked: &[(i64, bool)], #[case] expected: Verdict) {
        let checked = checked.iter().map(|(minutes, is_answered)| {
            let at = ago(*minutes);
            DomainChecked { at, is_answered: *is_answered }
        });
        assert_eq!(domain_checks(checked, ago(0), SignedDuration::from_hours(1)), expected);
    }

    #[test]
    fn no_evidence_is_no_sample() {
        let sample = |verdict: Verdict| verdict.sample(Component::Syncs, ago(0)).map(|sample| sample.is_ok);
        assert_eq!(sample(Verdict::NoEvidence), None);
        assert_eq!(sample(Verdict::Works), Some(true));
        assert_eq!(sample(Verdict::Fails(Problem::LateSync)), Some(false));
    }
}
