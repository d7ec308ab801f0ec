//! Checks one member by identity: single-flight per member, with the outcome recorded before the grants are sent.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use membermail_core::audit::Actor;
use membermail_core::eligibility::{self, Observation, Outcome, Person, Standing};
use membermail_core::member::{Identity, MemberId, ObservedName};
use membermail_core::message::{AliasGrant, VerifyMember, WriteAliases};
use membermail_runtime::batch::{Attempt, chain};
use membermail_store::{CheckStart, Member, Record, Recorded};
use membermail_sync::{Observer, PersonLookup, RecordedObservation};
use tracing::{info, warn};

use crate::{Context, Error};

/// The in-flight lease of a check: longer than the function's timeout.
const LEASE: SignedDuration = SignedDuration::from_secs(150);
/// Rate limit: minimum interval between two checks of a member, so that many sign-ins in a row cost one or two look-ups.
const MIN_INTERVAL: SignedDuration = SignedDuration::from_secs(10);

/// Checks a member and returns the outcome's label.
pub(crate) async fn check(context: &Context, message: VerifyMember, attempt: Attempt) -> Result<&'static str, Error> {
    let now = context.worker.clock.now();
    let begun = context.store.begin_check(message.member, message.requested_at, now, LEASE, MIN_INTERVAL).await?;
    let member = match begun {
        CheckStart::Started(member) => *member,
        CheckStart::NoMember => return Err(Error::NoMember),
        CheckStart::Stale => {
            info!("message dropped: member {} has a later request", message.member);
            return Ok("stale");
        }
        CheckStart::AlreadyDone(member) => {
            // The first delivery may have crashed after recording the outcome and before sending the grants.
            if attempt.receives > 1 {
                resend_grants(context, *member, &message.request_id).await?;
            }
            return Ok("stale");
        }
        CheckStart::Busy { until } => {
            let retry_after = Duration::try_from(until.duration_since(now)).unwrap_or_default();
            return Err(Error::Busy { retry_after: retry_after.max(Duration::from_secs(1)) });
        }
    };
    let checked = look_up(context, &message, member).await;
    if checked.is_err()
        && let Err(cause) = context.store.end_check(message.member).await
    {
        warn!(
            cause = chain(&cause),
            "in-flight lease of member {} could not be released and will expire", message.member
        );
    }
    checked
}

async fn look_up(context: &Context, message: &VerifyMember, member: Member) -> Result<&'static str, Error> {
    let Context { source, store, worker, .. } = context;
    let member = store.survivor_of(member).await?.ok_or(Error::NoMember)?;
    let VerifyMember { requested_at, ref request_id, .. } = *message;
    let observer = Observer {
        source: &**source,
        store,
        clock: &*worker.clock,
        random: &*worker.random,
        actor: Actor::Member,
        by: None,
        request_id,
    };
    if member.is_banned() {
        // No request to the source for a banned member.
        return record_ban(context, &member, requested_at).await;
    }
    let (person, observed_at) = fetch_person(context, &observer, message.identity.as_ref(), &member).await?;
    let standing = match person {
        PersonLookup::NoAccount if member.observation.is_some() => Standing::Closed,
        // An identity that is foreign to the source says nothing, whatever was observed earlier.
        PersonLookup::NoAccount | PersonLookup::Foreign => Standing::Unknown,
        PersonLookup::Found(person) => {
            let groups = if person.check().is_ok() { source.groups(&person).await? } else { BTreeSet::new() };
            Standing::Known { person, groups }
        }
    };
    let outcome = match &standing {
        Standing::Known { person, .. } if person.check().is_ok() => {
            context.pins.decide(&standing, &context.community, store, worker.clock.now()).await?
        }
        _ => eligibility::decide(false, &standing, &context.community, &BTreeMap::new()),
    };
    let observation = match standing {
        Standing::Known { person, .. } => Some(Observation { person, observed_at }),
        Standing::Unknown | Standing::Closed => None,
    };
    let recorded = observer.record(member, observation.as_ref(), Some((&outcome, requested_at))).await?;
    let RecordedObservation { member, linked, is_stale } = recorded;
    if let Some(entry) = linked {
        context.worker.enqueue_notice(entry, request_id).await;
    }
    if is_stale {
        return Err(Error::Superseded);
    }
    if member.is_banned() {
        return record_ban(context, &member, requested_at).await;
    }
    info!(%outcome, "member {} checked", member.id);
    if let Some(observation) = &observation {
        send_grants(context, member.id, &observation.name(), &outcome, request_id).await?;
    }
    Ok((&outcome).into())
}

/// Fetches the account of the sign-in's identity, or else of the member's other identities: the one of the last observation, or
/// the first. They are foreign to the source only if all of them are.
async fn fetch_person(
    context: &Context,
    observer: &Observer<'_>,
    identity: Option<&Identity>,
    member: &Member,
) -> Result<(PersonLookup, Timestamp), Error> {
    let mut first = None;
    if let Some(identity) = identity {
        let found = observer.fetch_person(std::slice::from_ref(identity)).await?;
        if matches!(found.0, PersonLookup::Found(_)) {
            return Ok(found);
        }
        first = Some(found);
    }
    let identities = context.store.member_to_look_up(member.id).await?.map(|(_, identities)| identities);
    let mut others = identities.unwrap_or_default();
    others.retain(|other| Some(other) != identity);
    let known = member.observation.as_ref().map(|observation| observation.person.fingerprint);
    let is_known = |person: &Person| known == Some(person.fingerprint);
    let (others, requested_at) = observer.fetch_preferred(&others, &is_known).await?;
    Ok(match (others, first) {
        (PersonLookup::Foreign, Some(first)) => first,
        (others, _) => (others, requested_at),
    })
}

async fn record_ban(context: &Context, member: &Member, requested_at: Timestamp) -> Result<&'static str, Error> {
    let outcome = Some((&Outcome::Banned, requested_at));
    let now = context.worker.clock.now();
    let record = Record { member, observation: None, outcome, claims_name_from: None, now };
    match context.store.record(record, &*context.worker.random).await? {
        Recorded::Recorded => {
            info!(outcome = %Outcome::Banned, "member {} checked", member.id);
            Ok(Outcome::Banned.into())
        }
        Recorded::Stale | Recorded::NameHeld(_) => Err(Error::Superseded),
    }
}

async fn send_grants(
    context: &Context,
    member: MemberId,
    known_as: &ObservedName,
    outcome: &Outcome,
    request_id: &str,
) -> Result<(), Error> {
    let Outcome::Eligible { domains } = outcome else { return Ok(()) };
    let grants = domains.iter().map(|domain| AliasGrant {
        member,
        known_as: known_as.clone(),
        domain: domain.clone(),
        request_id: request_id.to_owned(),
    });
    let grants: Vec<_> = grants.map(WriteAliases::Grant).collect();
    match grants.as_slice() {
        [grant] => context.write_queue.send(grant).await?,
        grants => context.write_queue.send_all(grants).await?,
    }
    Ok(())
}

/// Sends the grants of a recorded outcome again. Grants are idempotent.
async fn resend_grants(context: &Context, member: Member, request_id: &str) -> Result<(), Error> {
    let survivor = context.store.survivor_of(member).await?.ok_or(Error::NoMember)?;
    if survivor.is_banned() {
        return Ok(());
    }
    if let (Some(observation), Some(outcome)) = (&survivor.observation, &survivor.check.outcome) {
        send_grants(context, survivor.id, &observation.name(), outcome, request_id).await?;
    }
    Ok(())
}
