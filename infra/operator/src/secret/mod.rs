//! `membermail secret …`: key rotation of the master secret.

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

use crate::context::Context;
use crate::failure::Failure;
use crate::output::{addresses, facts, time};
use crate::progress;
use versions::Versions;

/// The length and the alphabet of secrets, as in the template.
const LENGTH: usize = 64;
const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Commands for the master secret.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Show the age of the master secret and how many addresses are sealed with it and with the previous one
    Show,
    /// Create a new master secret; data that is sealed with the previous one stays readable
    Rotate,
    /// Reseal the data of the previous master secret with the current one
    Reseal,
    /// Delete the previous master secret, once no data is sealed with it
    Retire {
        /// Do not wait until all functions use the current one
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
    let versions = Versions::fetch(context).await?;
    let sealed = count_sealed(context).await?;
    context.output.show(&SecretView::new(versions, sealed))
}

async fn rotate(context: &Context) -> Result<(), Failure> {
    let versions = Versions::fetch(context).await?;
    if versions.previous.is_some() {
        // Secrets Manager keeps two versions, so that the previous one must be unused.
        ensure_previous_unused(count_sealed(context).await?)?;
        ensure_functions_use_current(context, &versions)?;
    }
    let (client, arn) = context.deployment.master_secret().await?;
    let new = generate(context.operator.random());
    let put = client.put_secret_value().secret_id(arn).secret_string(new.as_str()).send().await;
    put.map_err(Failure::secrets_manager)?;
    let sealed = count_sealed(context).await?;
    context.output.show(&SecretView::new(Versions::fetch(context).await?, sealed))?;
    context.output.note("The master secret was rotated. Run `membermail secret reseal` next.");
    Ok(())
}

async fn reseal(context: &Context) -> Result<(), Failure> {
    let versions = Versions::fetch(context).await?;
    let sealer = fetch_sealer(context).await?;
    let secret = versions.current.to_string();
    let store = context.deployment.store().await?;
    let bar = progress::counter("addresses");
    let pass = async || {
        let pass = Reseal::new(&sealer, &secret, context.operator.clock.now(), context.operator.random());
        store.reseal(pass, &|count| bar.inc(count)).await
    };
    let mut done = pass().await?;
    if done.is_resumed {
        context.output.note(format!("Resumed the pass that was started at {}.", time(done.started)));
        // A second pass finds data that a function sealed with the previous secret behind the cursor of the first one.
        let resealed = done.by.previous;
        done = pass().await?;
        done.by.previous += resealed;
    }
    bar.finish_and_clear();
    let SealedBy { previous: resealed, neither, neither_count, .. } = done.by;
    context.output.show(&Resealed { resealed, neither_count, neither })
}

async fn retire(context: &Context, at_once: bool) -> Result<(), Failure> {
    let versions = Versions::fetch(context).await?;
    if versions.previous.is_none() {
        return Err(Failure::NotFound("previous master secret".to_owned()));
    }
    ensure_previous_unused(count_sealed(context).await?)?;
    if !at_once {
        ensure_functions_use_current(context, &versions)?;
    }
    versions.delete_previous(context).await?;
    show(context).await
}

/// Scans the table and counts sealed addresses by secret.
async fn count_sealed(context: &Context) -> Result<SealedBy, Failure> {
    let sealer = fetch_sealer(context).await?;
    let store = context.deployment.store().await?;
    let bar = progress::counter("addresses");
    Ok(store.sealed_by(&sealer, &|count| bar.inc(count)).await?)
}

/// A sealer with the current and the previous master secret.
pub(crate) async fn fetch_sealer(context: &Context) -> Result<Sealer, Failure> {
    let (client, arn) = context.deployment.master_secret().await?;
    let current = secret::fetch(&client, &arn).await.and_then(secret::to_key).map_err(Failure::other)?;
    let previous = secret::fetch_previous(&client, &arn).await.map_err(Failure::other)?;
    let previous = previous.map(secret::to_key).transpose().map_err(Failure::other)?;
    Ok(Sealer::of(&MasterKeys::new(current, previous)))
}

fn ensure_previous_unused(sealed: SealedBy) -> Result<(), Failure> {
    match sealed.previous {
        0 => Ok(()),
        count => Err(Failure::Held(format!(
            "the previous master secret still seals {}; run `membermail secret reseal` first",
            addresses(count)
        ))),
    }
}

/// Functions cache the secret for a few minutes and could seal data with the previous one.
fn ensure_functions_use_current(context: &Context, versions: &Versions) -> Result<(), Failure> {
    let after = versions.current.saturating_add(secret::REFRESH_INTERVAL).unwrap_or(Timestamp::MAX);
    if context.operator.clock.now() < after {
        return Err(Failure::Busy(format!(
            "functions can use the previous master secret until {}; try again after that",
            time(after)
        )));
    }
    Ok(())
}

fn generate(random: &dyn Random) -> Zeroizing<String> {
    let bytes = Zeroizing::new(random::bytes::<LENGTH>(random));
    // Six bits per letter, so that the distribution is uniform.
    Zeroizing::new(bytes.iter().map(|byte| char::from(LETTERS[usize::from(byte & 63)])).collect())
}

#[derive(Debug, Serialize)]
struct SecretView {
    current_since: Timestamp,
    previous_since: Option<Timestamp>,
    sealed_by_current: u64,
    sealed_by_previous: u64,
    sealed_by_neither_count: u64,
    /// The first hundred members whose data neither secret opens.
    sealed_by_neither: Vec<MemberId>,
}

impl SecretView {
    fn new(versions: Versions, sealed: SealedBy) -> Self {
        Self {
            current_since: versions.current,
            previous_since: versions.previous.map(|(_, since)| since),
            sealed_by_current: sealed.current,
            sealed_by_previous: sealed.previous,
            sealed_by_neither_count: sealed.neither_count,
            sealed_by_neither: sealed.neither,
        }
    }
}

impl fmt::Display for SecretView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let previous =
            self.previous_since.map(|since| format!("{}; created {}", addresses(self.sealed_by_previous), time(since)));
        let lines = [
            ("current", Some(format!("{}; created {}", addresses(self.sealed_by_current), time(self.current_since)))),
            ("previous", previous),
            ("unreadable", unreadable(self.sealed_by_neither_count, &self.sealed_by_neither)),
        ];
        writeln!(f, "{}", facts(lines))
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
        let lines = [
            ("resealed", Some(addresses(self.resealed))),
            ("unreadable", unreadable(self.neither_count, &self.neither)),
        ];
        writeln!(f, "{}", facts(lines))
    }
}

/// Addresses that neither secret opens, with their members.
fn unreadable(count: u64, members: &[MemberId]) -> Option<String> {
    let ids: Vec<_> = members.iter().map(ToString::to_string).collect();
    let more = count.saturating_sub(members.len() as u64);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    (count > 0).then(|| format!("{}, of {}{more}", addresses(count), ids.join(", ")))
}

#[cfg(test)]
mod tests {
    use membermail_core::random::CountingRandom;

    use super::*;

    #[test]
    fn unreadable_addresses_are_counted() {
        let member = MemberId::parse("01KATW4Y00ZZZZZZZZZZZZZZZZ").unwrap();
        assert_eq!(unreadable(0, &[]), None);
        assert_eq!(unreadable(1, &[member]).unwrap(), format!("1 address, of {member}"));
        assert_eq!(unreadable(9, &[member]).unwrap(), format!("9 addresses, of {member} and 8 more"));
    }

    #[test]
    fn generated_secrets_are_long_and_distinct() {
        let random = CountingRandom::default();
        let first = generate(&random);
        let second = generate(&random);
        assert!(first.len() == LENGTH && first != second, "{:?}", first.len());
        assert!(secret::to_key(first).is_ok());
    }
}
