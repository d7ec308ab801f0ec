//! `membermail domain name …`: names that no member gets in a domain, also on the page *Reserved names* of the console.

use std::fmt;

use membermail_core::address::DomainName;
use membermail_core::reserved::{ReservedName, is_reserved};
use membermail_store::{Reservation, Reserved};
use serde::Serialize;

use crate::context::Context;
use crate::deployment::find_domain;
use crate::failure::Failure;
use crate::output::{or_dash, table, time};

/// Commands for the reserved names of a domain.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Reserve a name: no member gets a new address with it, and existing addresses keep working
    Reserve {
        /// The domain
        domain: DomainName,
        /// The name, without the domain
        name: ReservedName,
    },
    /// End a reservation
    Release {
        /// The domain
        domain: DomainName,
        /// The name, without the domain
        name: ReservedName,
    },
    /// List the names that are reserved in this domain
    List {
        /// The domain
        domain: DomainName,
    },
}

const TOO_MANY: &str = "the domain has 500 reserved names, which is the limit: every sync reads them";

pub(super) async fn run(context: &Context, command: Command) -> Result<(), Failure> {
    match command {
        Command::Reserve { domain, name } => reserve(context, domain, name).await,
        Command::Release { domain, name } => release(context, domain, name).await,
        Command::List { domain } => list(context, domain).await,
    }
}

async fn reserve(context: &Context, domain: DomainName, name: ReservedName) -> Result<(), Failure> {
    let cause = context.operator.cause()?;
    let store = context.deployment.store().await?;
    find_domain(&context.deployment.community().await?, &domain)?;
    let did = if is_reserved(name.as_str()) {
        Did::ReservedEverywhere
    } else {
        match store.reserve_name(&domain, &name, cause, context.operator.random()).await? {
            Reserved::Done => Did::Reserved,
            Reserved::Before(_) => Did::WasReserved,
            Reserved::TooMany => return Err(Failure::Usage(TOO_MANY.to_owned())),
        }
    };
    context.output.show(&NameChange { domain, name, did })
}

async fn release(context: &Context, domain: DomainName, name: ReservedName) -> Result<(), Failure> {
    let cause = context.operator.cause()?;
    let store = context.deployment.store().await?;
    find_domain(&context.deployment.community().await?, &domain)?;
    let is_changed = store.release_name(&domain, &name, cause, context.operator.random()).await?;
    context.output.show(&NameChange { domain, name, did: if is_changed { Did::Released } else { Did::WasFree } })
}

async fn list(context: &Context, domain: DomainName) -> Result<(), Failure> {
    let store = context.deployment.store().await?;
    find_domain(&context.deployment.community().await?, &domain)?;
    let names = store.reserved_names(&domain).await?;
    context.output.show(&NameList { domain, names })
}

/// What a command did.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Did {
    Reserved,
    WasReserved,
    ReservedEverywhere,
    Released,
    WasFree,
}

/// `domain name reserve` and `domain name release`
#[derive(Debug, Serialize)]
struct NameChange {
    domain: DomainName,
    name: ReservedName,
    did: Did,
}

impl fmt::Display for NameChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { domain, name, did } = self;
        match did {
            Did::Reserved => writeln!(f, "{name}@{domain} is reserved: no member gets it."),
            Did::WasReserved => writeln!(f, "{name}@{domain} was reserved before."),
            Did::ReservedEverywhere => writeln!(f, "{name} is reserved in every domain."),
            Did::Released => writeln!(f, "{name}@{domain} is no longer reserved."),
            Did::WasFree => writeln!(f, "{name}@{domain} was not reserved."),
        }
    }
}

/// `domain name list`
#[derive(Debug, Serialize)]
struct NameList {
    domain: DomainName,
    names: Vec<Reservation>,
}

impl fmt::Display for NameList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { domain, names } = self;
        if names.is_empty() {
            return writeln!(f, "Only the names that are reserved everywhere are reserved in {domain}.");
        }
        let rows =
            names.iter().map(|Reservation { name, since, by }| [name.to_string(), time(*since), or_dash(by.as_ref())]);
        writeln!(f, "{}", table(["name", "since", "by"], rows))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_views() {
        let domain: DomainName = "ubuntu.com".parse().unwrap();
        let name: ReservedName = "council".parse().unwrap();
        let dids = [Did::Reserved, Did::WasReserved, Did::ReservedEverywhere, Did::Released, Did::WasFree];
        let changes = dids.map(|did| NameChange { domain: domain.clone(), name: name.clone(), did }.to_string());
        let reservation =
            Reservation { name, since: "2026-11-24T10:00:00Z".parse().unwrap(), by: Some("kim".to_owned()) };
        let lists = [vec![reservation], Vec::new()].map(|names| NameList { domain: domain.clone(), names }.to_string());
        insta::assert_snapshot!(changes.concat() + &lists.concat());
    }
}
