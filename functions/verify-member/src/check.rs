//! One check: single-flight per member, by identity, with the outcome recorded before anything is granted.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use membermail_core::audit::Actor;
use membermail_core::eligibility::{self, Observation, Outcome, Standing};
use membermail_core::member::{Identity, MemberId, ObservedName};
use membermail_core::message::{Notify, VerifyMember, WriteAlias, WriteAliases};
use membermail_runtime::batch::{Try, chain};
use membermail_store::{CheckBegun, Member, Record, Recorded};
use membermail_sync::{Observer, Settled};
use tracing::{info, warn};
use ulid::Ulid;

use crate::{Context, Error};

/// A check that has not ended by then has died; longer than the function may run.
const LEASE: SignedDuration = SignedDuration::from_secs(150);
/// The time between two checks of a member: twenty sign-ins in a row come to one or two look-ups.
const PAUSE: SignedDuration = SignedDuration::from_secs(10);

/// Carries out a check. The word for the outcome comes back.
pub(crate) async fn check(context: &Context, message: VerifyMember, attempt: Try) -> Result<&'static str, Error> {
    let now = context.clock.now();
    let begun = context.store.begin_check(message.member, message.requested_at, now, LEASE, PAUSE).await?;
    let member = match begun {
        CheckBegun::Started(member) => *member,
        CheckBegun::NoMember => return Err(Error::NoMember),
        CheckBegun::Stale => {
            info!("a later request of member {} counts", message.member);
            return Ok("stale");
        }
        CheckBegun::AlreadyDone(member) => {
            // The first delivery may have ended between the outcome and the grants.
            if attempt.receives > 1 {
                grant_again(context, *member, &message.request_id).await?;
            }
            return Ok("stale");
        }
        CheckBegun::Busy { until } => {
            let retry_after = Duration::try_from(until.duration_since(now)).unwrap_or_default();
            return Err(Error::Busy { retry_after: retry_after.max(Duration::from_secs(1)) });
        }
    };
    let checked = look_up(context, &message, member).await;
    if checked.is_err()
        && let Err(cause) = context.store.end_check(message.member).await
    {
        // The lease ends by itself.
        warn!(cause = chain(&cause), "the in-flight lease of member {} stays", message.member);
    }
    checked
}

async fn look_up(context: &Context, message: &VerifyMember, member: Member) -> Result<&'static str, Error> {
    let Context { source, store, clock, random, .. } = context;
    let member = store.survivor_of(member).await?.ok_or(Error::NoMember)?;
    let (source, clock, random) = (&**source, &**clock, &**random);
    let request_id = message.request_id.as_str();
    let observer = Observer { source, store, clock, random, actor: Actor::Member, by: None, request_id };
    let requested_at = message.requested_at;
    if member.is_banned() {
        // A banned member costs Launchpad no request.
        return decide_banned(context, &member, requested_at).await;
    }
    let (person, observed_at) = ask(context, &observer, message.identity.as_ref(), member.id).await?;
    let standing = match person {
        None if member.observation.is_some() => Standing::Closed,
        None => Standing::Unknown,
        Some(person) => {
            let groups = if person.check().is_ok() { source.groups(&person).await? } else { BTreeSet::new() };
            Standing::Known { person, groups }
        }
    };
    let outcome = match &standing {
        Standing::Known { person, .. } if person.check().is_ok() => {
            context.pins.decide(&standing, &context.community, store, clock.now()).await?
        }
        _ => eligibility::decide(false, &standing, &context.community, &BTreeMap::new()),
    };
    let observation = match standing {
        Standing::Known { person, .. } => Some(Observation { person, observed_at }),
        Standing::Unknown | Standing::Closed => None,
    };
    let settled = observer.record(member, observation.as_ref(), Some((&outcome, requested_at))).await?;
    let Settled { member, linked, is_stale } = settled;
    if let Some(entry) = linked {
        notify(context, entry, request_id).await;
    }
    if is_stale {
        return Err(Error::Superseded);
    }
    if member.is_banned() {
        return decide_banned(context, &member, requested_at).await;
    }
    info!(outcome = outcome.as_str(), "member {} checked", member.id);
    if let (Outcome::Eligible { .. }, Some(observation)) = (&outcome, &observation) {
        grant(context, member.id, &observation.name(), &outcome, request_id).await?;
    }
    Ok(outcome.as_str())
}

/// Asks by the identity of the sign-in, and by the member's others where that one has no account.
async fn ask(
    context: &Context,
    observer: &Observer<'_>,
    identity: Option<&Identity>,
    member: MemberId,
) -> Result<(Option<eligibility::Person>, Timestamp), Error> {
    if let Some(identity) = identity {
        let found = observer.ask(std::slice::from_ref(identity)).await?;
        if found.0.is_some() {
            return Ok(found);
        }
    }
    let identities = context.store.member_to_look_up(member).await?.map(|(_, identities)| identities);
    let mut others = identities.unwrap_or_default();
    others.retain(|other| Some(other) != identity);
    Ok(observer.ask(&others).await?)
}

async fn decide_banned(context: &Context, member: &Member, requested_at: Timestamp) -> Result<&'static str, Error> {
    let outcome = Some((&Outcome::Banned, requested_at));
    let now = context.clock.now();
    let record = Record { member, observation: None, outcome, takes_name_from: None, now };
    match context.store.record(record, &*context.random).await? {
        Recorded::Recorded => {
            info!(outcome = Outcome::Banned.as_str(), "member {} checked", member.id);
            Ok(Outcome::Banned.as_str())
        }
        Recorded::Stale | Recorded::NameHeld(_) => Err(Error::Superseded),
    }
}

async fn grant(
    context: &Context,
    member: MemberId,
    known_as: &ObservedName,
    outcome: &Outcome,
    request_id: &str,
) -> Result<(), Error> {
    let Outcome::Eligible { domains } = outcome else { return Ok(()) };
    let (known_as, request_id) = (known_as.clone(), request_id.to_owned());
    let grants = domains.iter().map(|domain| {
        let (known_as, request_id) = (known_as.clone(), request_id.clone());
        WriteAliases::Grant(WriteAlias { member, known_as, domain: domain.clone(), request_id })
    });
    let grants: Vec<_> = grants.collect();
    match grants.as_slice() {
        [grant] => context.outbox.send(grant).await?,
        grants => context.outbox.send_all(grants).await?,
    }
    Ok(())
}

/// Sends the grants of an outcome that is recorded. A grant that comes twice changes nothing.
async fn grant_again(context: &Context, member: Member, request_id: &str) -> Result<(), Error> {
    let survivor = context.store.survivor_of(member).await?.ok_or(Error::NoMember)?;
    if survivor.is_banned() {
        return Ok(());
    }
    if let (Some(observation), Some(outcome)) = (&survivor.observation, &survivor.check.outcome) {
        grant(context, survivor.id, &observation.name(), outcome, request_id).await?;
    }
    Ok(())
}

/// Asks for a change to be told; the outbox has it already.
async fn notify(context: &Context, entry: Ulid, request_id: &str) {
    let message = Notify { entry, request_id: request_id.to_owned() };
    if let Err(cause) = context.reports.queue.send(&message).await {
        warn!(cause = chain(&cause), "a notice waits in the outbox");
    }
}
