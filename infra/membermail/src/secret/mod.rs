//! `membermail secret …`: changing the master secret without losing what it has sealed.

mod versions;

use std::fmt;

use jiff::Timestamp;
use membermail_core::clock::Clock;
use membermail_core::master::MasterKeys;
use membermail_core::member::MemberId;
use membermail_core::random::{self, Random};
use membermail_runtime::secret;
use membermail_store::{Reseal, SealedBy, Sealer};
use serde::Serialize;
use zeroize::Zeroizing;

use crate::Context;
use crate::failure::Failure;
use crate::output::{facts, time};
use crate::progress;
use versions::Versions;

/// As the template makes one.
const LENGTH: usize = 64;
const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// What to do with the master secret.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Show since when it is, and how many addresses are sealed by it and by the one before it
    Show,
    /// Make a new one; what the one before it sealed opens on
    Rotate,
    /// Seal by the new one what the one before it has sealed
    Reseal,
    /// Forget the one before it, once nothing is sealed by it
    Retire {
        /// Also while functions that have not seen the new one may seal by it still
        #[arg(long)]
        at_once: bool,
    },
}

pub(crate) async fn run(context: &Context, command: Command) -> Result<(), Failure> {
    match command {
        Command::Show => show(context).await,
        Command::Rotate => rotate(context).await,
        Command::Reseal => reseal(context).await,
        Command::Retire { at_once } => retire(context, at_once).await,
    }
}

async fn show(context: &Context) -> Result<(), Failure> {
    let versions = Versions::read(context).await?;
    let by = look(context).await?;
    context.output.show(&View::of(versions, by))
}

async fn rotate(context: &Context) -> Result<(), Failure> {
    let versions = Versions::read(context).await?;
    if versions.previous.is_some() {
        // Of three only two are kept.
        nothing_is_left(look(context).await?)?;
        everybody_has_seen_it(context, &versions)?;
    }
    let (client, arn) = context.place.master_secret().await?;
    let new = make(context.operator.random());
    let put = client.put_secret_value().secret_id(arn).secret_string(new.as_str()).send().await;
    put.map_err(|error| Failure::aws("Secrets Manager", &error))?;
    let by = look(context).await?;
    context.output.show(&View::of(Versions::read(context).await?, by))?;
    context.output.note("there is a new master secret; `membermail secret reseal` seals by it what is there");
    Ok(())
}

async fn reseal(context: &Context) -> Result<(), Failure> {
    let (versions, sealer) = (Versions::read(context).await?, sealer(context).await?);
    let secret = versions.current.to_string();
    let store = context.place.store().await?;
    let bar = progress::counting("addresses");
    let progress = |count| bar.inc(count);
    let pass = || Reseal::new(&sealer, &secret, context.operator.clock.now(), context.operator.random());
    let mut done = store.reseal(pass(), &progress).await?;
    if done.is_resumed {
        context.output.note(format!("went on with the pass that began at {}", time(done.started)));
        // What a function sealed by the previous secret behind that pass is found by one that begins now.
        let resealed = done.by.previous;
        done = store.reseal(pass(), &progress).await?;
        done.by.previous += resealed;
    }
    bar.finish_and_clear();
    let SealedBy { previous: resealed, neither, neither_count, .. } = done.by;
    context.output.show(&Resealed { resealed, neither_count, neither })
}

async fn retire(context: &Context, at_once: bool) -> Result<(), Failure> {
    let versions = Versions::read(context).await?;
    if versions.previous.is_none() {
        return Err(Failure::NotFound("master secret before the current one".to_owned()));
    }
    nothing_is_left(look(context).await?)?;
    if !at_once {
        everybody_has_seen_it(context, &versions)?;
    }
    versions.forget_previous(context).await?;
    show(context).await
}

/// Looks at all that is sealed.
async fn look(context: &Context) -> Result<SealedBy, Failure> {
    let (sealer, store) = (sealer(context).await?, context.place.store().await?);
    let bar = progress::counting("addresses");
    let by = store.sealed_by(&sealer, &|count| bar.inc(count)).await;
    bar.finish_and_clear();
    Ok(by?)
}

async fn sealer(context: &Context) -> Result<Sealer, Failure> {
    let (client, arn) = context.place.master_secret().await?;
    let other = |error: secret::SecretError| Failure::Other(error.to_string());
    let current = secret::read(&client, &arn).await.and_then(secret::key).map_err(other)?;
    let previous = secret::previous(&client, &arn).await.map_err(other)?.map(secret::key).transpose().map_err(other)?;
    Ok(Sealer::of(&MasterKeys::new(current, previous)))
}

fn nothing_is_left(by: SealedBy) -> Result<(), Failure> {
    match by.previous {
        0 => Ok(()),
        left => Err(Failure::Held(format!(
            "{left} addresses are sealed by the master secret before this one: `membermail secret reseal` first"
        ))),
    }
}

/// A function may seal by what it read a few minutes ago.
fn everybody_has_seen_it(context: &Context, versions: &Versions) -> Result<(), Failure> {
    let after = versions.current.saturating_add(secret::FRESH).unwrap_or(Timestamp::MAX);
    if context.operator.clock.now() < after {
        return Err(Failure::Busy(format!(
            "functions may seal by the master secret before this one until {}: again after that",
            time(after)
        )));
    }
    Ok(())
}

fn make(random: &dyn Random) -> Zeroizing<String> {
    let bytes = Zeroizing::new(random::bytes::<LENGTH>(random));
    // Each six bits are a letter, and no letter comes more often than another.
    Zeroizing::new(bytes.iter().map(|byte| char::from(LETTERS[usize::from(byte & 63)])).collect())
}

#[derive(Debug, Serialize)]
struct View {
    current_since: Timestamp,
    previous_since: Option<Timestamp>,
    sealed_by_current: u64,
    sealed_by_previous: u64,
    sealed_by_neither_count: u64,
    /// The first hundred members of those.
    sealed_by_neither: Vec<MemberId>,
}

impl View {
    fn of(versions: Versions, by: SealedBy) -> Self {
        Self {
            current_since: versions.current,
            previous_since: versions.previous.map(|(_, since)| since),
            sealed_by_current: by.current,
            sealed_by_previous: by.previous,
            sealed_by_neither_count: by.neither_count,
            sealed_by_neither: by.neither,
        }
    }
}

impl fmt::Display for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let previous =
            self.previous_since.map(|since| format!("{} addresses, of {}", self.sealed_by_previous, time(since)));
        let about = [
            ("current", Some(format!("{} addresses, of {}", self.sealed_by_current, time(self.current_since)))),
            ("previous", previous),
            ("neither", lost(self.sealed_by_neither_count, &self.sealed_by_neither)),
        ];
        writeln!(f, "{}", facts(about))
    }
}

#[derive(Debug, Serialize)]
struct Resealed {
    resealed: u64,
    neither_count: u64,
    neither: Vec<MemberId>,
}

impl fmt::Display for Resealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let about = [
            ("resealed", Some(format!("{} addresses", self.resealed))),
            ("neither", lost(self.neither_count, &self.neither)),
        ];
        writeln!(f, "{}", facts(about))
    }
}

fn lost(count: u64, members: &[MemberId]) -> Option<String> {
    let ids: Vec<_> = members.iter().map(ToString::to_string).collect();
    let more = count.saturating_sub(members.len() as u64);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    (count > 0).then(|| format!("{count} addresses, of {}{more}", ids.join(", ")))
}

#[cfg(test)]
mod tests {
    use membermail_core::random::CountingRandom;

    use super::*;

    #[test]
    fn lost_addresses_are_counted_beyond_names() {
        let member = MemberId::parse("01KATW4Y00ZZZZZZZZZZZZZZZZ").unwrap();
        assert_eq!(lost(0, &[]), None);
        assert_eq!(lost(1, &[member]).unwrap(), format!("1 addresses, of {member}"));
        assert_eq!(lost(9, &[member]).unwrap(), format!("9 addresses, of {member} and 8 more"));
    }

    #[test]
    fn a_new_secret_is_long_and_another_each_time() {
        let random = CountingRandom::default();
        let (one, other) = (make(&random), make(&random));
        assert!(one.len() == LENGTH && one != other, "{:?}", one.len());
        assert!(secret::key(one).is_ok());
    }
}
