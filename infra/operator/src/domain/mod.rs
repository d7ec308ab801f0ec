//! `membermail domain …`

mod admins;
mod admins_view;
mod names;
mod retire;
mod show;
mod team;

use std::fmt;

use membermail_core::address::DomainName;
use membermail_core::community::Domain;
use membermail_core::member::TeamName;
use membermail_core::retirement::Retirement;
use membermail_domains::NameServers;
use membermail_store::{ListedDomain, Run, Store};
use serde::Serialize;

use crate::context::Context;
use crate::deployment::find_domain;
use crate::failure::Failure;
use crate::output::{or_dash, table, time};

/// Commands for domains.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// List the domains of the community
    List,
    /// Show a domain: its team, the record that verifies it, and its DNS records for mail
    Show {
        /// The domain
        domain: DomainName,
    },
    /// Check the DNS records of domains now and store the result, like the schedule does
    Check {
        /// The domains [default: all of the community]
        domains: Vec<DomainName>,
        /// Use these recursive name servers instead of the system's, separated by commas: 192.0.2.1:5353,2001:db8::1
        #[arg(long, value_name = "ADDRESSES", env = "MEMBERMAIL_DNS_SERVERS")]
        dns_servers: Option<NameServers>,
    },
    /// Verify a domain manually, without its DNS record
    Verify {
        /// The domain
        domain: DomainName,
    },
    /// Revoke the verification: the domain gives no new addresses, existing ones stay
    Unverify {
        /// The domain
        domain: DomainName,
    },
    /// Retire a domain: notify the members and end the addresses after the grace period
    Retire(retire::Options),
    /// Manage the admins of a domain
    #[command(subcommand)]
    Admin(admins::Command),
    /// Manage the reserved names of a domain
    #[command(subcommand)]
    Name(names::Command),
}

pub(crate) async fn run(context: &Context, command: Command) -> Result<(), Failure> {
    match command {
        Command::List => list(context).await,
        Command::Show { domain } => show::show(context, &domain).await,
        Command::Check { domains, dns_servers } => show::check(context, &domains, dns_servers).await,
        Command::Verify { domain } => set_verified(context, &domain, true).await,
        Command::Unverify { domain } => set_verified(context, &domain, false).await,
        Command::Retire(options) => retire::run(context, options).await,
        Command::Admin(command) => admins::run(context, command).await,
        Command::Name(command) => names::run(context, command).await,
    }
}

async fn list(context: &Context) -> Result<(), Failure> {
    let store = context.deployment.store().await?;
    let community = context.deployment.community().await?;
    let mut rows = Vec::new();
    let mut listed = store.listed_domains().await?;
    for Domain { domain, team, .. } in community.domains {
        let index = listed.iter().position(|entry| entry.domain == domain);
        let retirement = index.and_then(|index| listed.swap_remove(index).retirement);
        rows.push(load_row(&store, domain, Some(team), retirement).await?);
    }
    listed.sort_by(|left, right| left.domain.cmp(&right.domain));
    for ListedDomain { domain, retirement, .. } in listed {
        rows.push(load_row(&store, domain, None, retirement).await?);
    }
    context.output.show(&List { domains: rows })
}

async fn load_row(
    store: &Store,
    domain: DomainName,
    team: Option<TeamName>,
    retirement: Option<Retirement>,
) -> Result<Row, Failure> {
    let last_run = store.runs(&domain, 1).await?.pop();
    let verified = store.domain_verified(&domain).await?;
    Ok(Row { domain, team, verified, retirement, last_run })
}

async fn set_verified(context: &Context, name: &DomainName, verified: bool) -> Result<(), Failure> {
    let cause = context.operator.cause()?;
    let random = context.operator.random();
    let store = context.deployment.store().await?;
    find_domain(&context.deployment.community().await?, name)?;
    if verified {
        store.verify_domain(name, cause, random).await?;
    } else {
        store.unverify_domain(name, cause, random).await?;
    }
    context.output.show(&Verified { domain: name.clone(), verified })
}

#[derive(Debug, Serialize)]
struct List {
    domains: Vec<Row>,
}

#[derive(Debug, Serialize)]
struct Row {
    domain: DomainName,
    /// `None` if the community file no longer has the domain.
    team: Option<TeamName>,
    verified: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    retirement: Option<Retirement>,
    last_run: Option<Run>,
}

impl Row {
    /// Whether the domain gives addresses, or the reason why not.
    fn state(&self) -> String {
        match (&self.retirement, &self.team) {
            (Some(Retirement { cancelled: Some(_), .. }), _) => {
                "no: retirement cancelled, addresses not restored yet".to_owned()
            }
            (Some(Retirement { ended: Some(at), .. }), _) => format!("no: retired {}", time(*at)),
            (Some(Retirement { until, .. }), _) => format!("no: retiring, ends {}", time(*until)),
            (None, None) => "no: missing from the community file".to_owned(),
            (None, Some(_)) => if self.verified { "yes" } else { "no" }.to_owned(),
        }
    }
}

impl fmt::Display for List {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows = self.domains.iter().map(|row| {
            let last = row.last_run.as_ref().map(|run| format!("{} {}", time(run.started), run.state));
            [
                row.domain.to_string(),
                or_dash(row.team.as_ref()),
                row.state(),
                last.unwrap_or_else(|| "never".to_owned()),
            ]
        });
        writeln!(f, "{}", table(["domain", "team", "gives addresses", "last sync"], rows))
    }
}

#[derive(Debug, Serialize)]
struct Verified {
    domain: DomainName,
    verified: bool,
}

impl fmt::Display for Verified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.verified {
            true => writeln!(f, "{} is verified and gives addresses now.", self.domain),
            false => {
                writeln!(f, "{} is no longer verified. It gives no new addresses; existing ones stay.", self.domain)
            }
        }
    }
}
