//! `membermail sync …`

mod decide;
mod follow;
mod view;

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use membermail_core::address::DomainName;
use membermail_core::clock::Clock;
use membermail_core::community::Community;
use membermail_core::message::SyncTeam;
use membermail_store::{Run, Store};
use membermail_sync::{Engine, Limits, SyncError};
use ulid::Ulid;

use crate::Context;
use crate::failure::Failure;
use crate::output;
use crate::place::{self, Inbox};
use crate::progress;
use view::{Asked, OneRun, PlanView, Runs, reasons};

/// What to do about syncs.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Show what a sync of a domain would do now, and do nothing
    Plan {
        /// The domain
        domain: DomainName,
    },
    /// Ask for a sync that reads the team, whether or not its total has changed
    Run {
        /// The domains; all of the community where none is named
        domains: Vec<DomainName>,
        #[command(flatten)]
        wait: Wait,
    },
    /// List the latest runs, newest first
    Runs {
        /// Of this domain; of each where none is named
        domain: Option<DomainName>,
        /// So many of a domain at most
        #[arg(long, value_name = "NUMBER", default_value_t = 10, value_parser = clap::value_parser!(i32).range(1..=1000))]
        most: i32,
    },
    /// Show a run: what it counted, and every step
    Show {
        /// The id, as `sync runs` lists it
        run: Ulid,
    },
    /// Let a held run do what it would grant and take
    Release {
        /// The id, as `sync runs` lists it
        run: Ulid,
        #[command(flatten)]
        wait: Wait,
    },
    /// Say no to a held run: the same plan is not announced again
    Reject {
        /// The id, as `sync runs` lists it
        run: Ulid,
    },
}

/// Whether to wait for the end.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct Wait {
    /// Follow it to its end
    #[arg(long)]
    wait: bool,
    /// Give up waiting after so many seconds; what was asked for goes on
    #[arg(long, value_name = "SECONDS", default_value_t = 900, requires = "wait")]
    patience: u64,
}

impl Wait {
    fn patience(self) -> Option<Duration> {
        self.wait.then(|| Duration::from_secs(self.patience))
    }
}

pub(crate) async fn run(context: &Context, command: Command) -> Result<(), Failure> {
    let (store, community) = (context.place.store().await?, context.place.community().await?);
    match command {
        Command::Plan { domain } => plan(context, &store, &community, &domain).await,
        Command::Run { domains, wait } => start(context, &store, &community, domains, wait).await,
        Command::Runs { domain, most } => {
            let mut runs = Vec::new();
            for domain in wanted(&store, &community, domain.into_iter().collect()).await? {
                runs.extend(store.runs(&domain, most).await?);
            }
            runs.sort_by_key(|run| std::cmp::Reverse(run.id));
            context.output.show(&Runs { runs })
        }
        Command::Show { run } => {
            let run = find(&store, &community, run).await?;
            let steps = store.steps_of(&run.domain, run.id).await?;
            let announced = match run.waits_for {
                Some(announced) => store.run(&run.domain, announced).await?.map(|run| run.state),
                None => None,
            };
            context.output.show(&OneRun { run, announced, steps })
        }
        Command::Release { run, wait } => decide::release(context, &store, &community, run, wait).await,
        Command::Reject { run } => decide::reject(context, &store, &community, run).await,
    }
}

async fn plan(context: &Context, store: &Store, community: &Community, name: &DomainName) -> Result<(), Failure> {
    if store.domain(name).await?.retirement.is_none() {
        place::domain(community, name)?;
    }
    let launchpad = context.place.launchpad(community).await?;
    let engine = Engine {
        community,
        source: &launchpad,
        store,
        // A plan takes no lease.
        lease: SignedDuration::ZERO,
        limits: Limits::default(),
        clock: &context.operator.clock,
        random: &context.operator.random,
    };
    let bar = progress::towards("participants read", 0);
    let read = |read, total| {
        bar.set_length(total);
        bar.set_position(read);
    };
    // Of a domain that is retired no team is read.
    let plan = match engine.retirement(name).await.map_err(failure)? {
        Some(retirement) => {
            let now = Clock::now(&context.operator.clock);
            engine.plan_retirement(name, &retirement, now).await.map(|(plan, _)| plan)
        }
        None => engine.plan(name, &read).await,
    };
    bar.finish_and_clear();
    let plan = plan.map_err(failure)?;
    let held_for = engine.verdict(name, &plan).await.map_err(failure)?.reasons();
    let why = reasons(&held_for);
    context.output.show(&PlanView { plan, held: !held_for.is_empty(), held_for })?;
    if why.is_empty() { Ok(()) } else { Err(Failure::Held(format!("a run would be held: {why}"))) }
}

async fn start(
    context: &Context,
    store: &Store,
    community: &Community,
    domains: Vec<DomainName>,
    wait: Wait,
) -> Result<(), Failure> {
    let domains = wanted(store, community, domains).await?;
    let request_id = context.operator.request_id().to_owned();
    // An operator who asks wants to know, also where the total says that nothing has changed.
    let message = |domain: &DomainName| SyncTeam {
        domain: domain.clone(),
        release: None,
        full: true,
        requested_at: None,
        request_id: request_id.clone(),
    };
    let messages: Vec<_> = domains.iter().map(message).collect();
    let awaited = match wait.patience() {
        Some(patience) => Some((follow::before(store, &domains).await?, patience)),
        None => None,
    };
    for (domain, since) in waiting(store, &domains, context.operator.clock.now()).await? {
        let since = output::time(since);
        context.output.note(format!("a message of the schedule for {domain} has been waiting since {since}"));
    }
    context.place.queue(Inbox::Sync).await?.send_all(&messages).await?;
    let Some((awaited, patience)) = awaited else {
        return context.output.show(&Asked { request_id, domains });
    };
    let runs = follow::runs(store, &awaited, &request_id, patience).await?;
    let outcome = follow::outcome(&runs);
    context.output.show(&Runs { runs })?;
    outcome
}

/// The domains for which a message of the schedule waits already, and since when. It does not replace the operator's: it may
/// be gone, if the queue was purged.
async fn waiting(
    store: &Store,
    domains: &[DomainName],
    now: Timestamp,
) -> Result<Vec<(DomainName, Timestamp)>, Failure> {
    let requests = store.sync_requests(domains.iter()).await?;
    let waiting = requests.into_iter().filter_map(|(domain, request)| Some((domain, request.waiting_since(now)?)));
    Ok(waiting.collect())
}

/// The domains that are meant, each of which is the community's or an operator retires it.
async fn wanted(store: &Store, community: &Community, named: Vec<DomainName>) -> Result<Vec<DomainName>, Failure> {
    let configured: Vec<_> = community.domain_names().cloned().collect();
    if named.is_empty() {
        return Ok(store.domains_to_sync(&configured).await?);
    }
    for name in &named {
        if store.domain(name).await?.retirement.is_none() {
            place::domain(community, name)?;
        }
    }
    Ok(named)
}

/// A run by its id alone: an operator has it from a mail or a list.
async fn find(store: &Store, community: &Community, id: Ulid) -> Result<Run, Failure> {
    let configured: Vec<_> = community.domain_names().cloned().collect();
    for domain in store.domains_to_sync(&configured).await? {
        if let Some(run) = store.run(&domain, id).await? {
            return Ok(run);
        }
    }
    Err(Failure::NotFound(format!("run {id}")))
}

fn failure(error: SyncError) -> Failure {
    match error {
        SyncError::Store(cause) => cause.into(),
        SyncError::Queue(cause) => cause.into(),
        error => Failure::Other(membermail_runtime::batch::chain(&error)),
    }
}
