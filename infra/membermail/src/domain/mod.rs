//! `membermail domain …`

mod admins;
mod admins_view;
mod retire;
mod show;
mod team;

use std::fmt;

use membermail_core::address::DomainName;
use membermail_core::community::Domain;
use membermail_core::member::TeamName;
use membermail_core::retirement::Retirement;
use membermail_dns::NameServers;
use membermail_store::{ListedDomain, Run, Store};
use serde::Serialize;

use crate::Context;
use crate::failure::Failure;
use crate::output::{table, time};
use crate::place::domain;

/// What to do about domains.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// List the domains of the community
    List,
    /// Show a domain: its team, the record that proves it, what was last seen of it, and what its DNS says of mail
    Show {
        /// The domain
        domain: DomainName,
    },
    /// Look at domains in DNS now, and record what is seen and what follows, as the schedule does
    Check {
        /// The domains; all of the community where none is named
        domains: Vec<DomainName>,
        /// Ask these recursive name servers, with commas between, instead of the system's: 192.0.2.1, [2001:db8::1]:5353
        #[arg(long, value_name = "ADDRESSES", env = "MEMBERMAIL_DNS_SERVERS")]
        dns_servers: Option<NameServers>,
    },
    /// Count a domain as verified on your word, whatever its DNS says
    Verify {
        /// The domain
        domain: DomainName,
    },
    /// Take that word, or what DNS has shown, back: no new addresses; those that are there stay
    Unverify {
        /// The domain
        domain: DomainName,
    },
    /// Retire a domain: its addresses go through the grace period and end, and their members are notified
    Retire(retire::Options),
    /// Bind members as admins of a domain, and see who can act
    #[command(subcommand)]
    Admin(admins::Command),
}

pub(crate) async fn run(context: &Context, command: Command) -> Result<(), Failure> {
    match command {
        Command::List => list(context).await,
        Command::Show { domain } => show::show(context, &domain).await,
        Command::Check { domains, dns_servers } => show::check(context, &domains, dns_servers).await,
        Command::Verify { domain } => verify(context, &domain, true).await,
        Command::Unverify { domain } => verify(context, &domain, false).await,
        Command::Retire(options) => retire::run(context, options).await,
        Command::Admin(command) => admins::run(context, command).await,
    }
}

async fn list(context: &Context) -> Result<(), Failure> {
    let (store, community) = (context.place.store().await?, context.place.community().await?);
    let mut rows = Vec::new();
    let mut listed = store.listed_domains().await?;
    for Domain { domain, team, .. } in community.domains {
        let place = listed.iter().position(|one| one.domain == domain);
        let retirement = place.and_then(|place| listed.swap_remove(place).retirement);
        rows.push(row(&store, domain, Some(team), retirement).await?);
    }
    listed.sort_by(|one, other| one.domain.cmp(&other.domain));
    for ListedDomain { domain, retirement, .. } in listed {
        rows.push(row(&store, domain, None, retirement).await?);
    }
    context.output.show(&List { domains: rows })
}

async fn row(
    store: &Store,
    domain: DomainName,
    team: Option<TeamName>,
    retirement: Option<Retirement>,
) -> Result<Row, Failure> {
    let last_run = store.runs(&domain, 1).await?.pop();
    let verified = store.domain_verified(&domain).await?;
    Ok(Row { domain, team, verified, retirement, last_run })
}

async fn verify(context: &Context, name: &DomainName, verified: bool) -> Result<(), Failure> {
    let (cause, random) = (context.operator.cause()?, context.operator.random());
    let (store, community) = (context.place.store().await?, context.place.community().await?);
    domain(&community, name)?;
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
    /// Absent where the community file does not have the domain any more.
    team: Option<TeamName>,
    verified: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    retirement: Option<Retirement>,
    last_run: Option<Run>,
}

impl Row {
    /// Whether it gives addresses, or why not.
    fn state(&self) -> String {
        match (&self.retirement, &self.team) {
            (Some(Retirement { cancelled: Some(_), .. }), _) => "no: comes back from retirement".to_owned(),
            (Some(Retirement { ended: Some(at), .. }), _) => format!("no: retired {}", time(*at)),
            (Some(Retirement { until, .. }), _) => format!("no: retired, ends {}", time(*until)),
            (None, None) => "no: missing from the community file".to_owned(),
            (None, Some(_)) => if self.verified { "yes" } else { "no" }.to_owned(),
        }
    }
}

impl fmt::Display for List {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let row = |row: &Row| {
            let last = row.last_run.as_ref();
            [
                row.domain.to_string(),
                row.team.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string),
                row.state(),
                last.map_or_else(|| "never".to_owned(), |run| format!("{} {}", time(run.started), run.state.as_str())),
            ]
        };
        let head = ["domain", "team", "gives addresses", "last sync"];
        writeln!(f, "{}", table(head, self.domains.iter().map(row)))
    }
}

#[derive(Debug, Serialize)]
struct Verified {
    domain: DomainName,
    verified: bool,
}

impl fmt::Display for Verified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let gives = if self.verified { "gives addresses from now on" } else { "gives no new addresses from now on" };
        writeln!(f, "{} {gives}.", self.domain)
    }
}
