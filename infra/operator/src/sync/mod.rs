//! `membermail sync …`

mod decide;
mod view;
mod wait;

use std::time::Duration;

use jiff::SignedDuration;
use membermail_core::address::DomainName;
use membermail_core::audit::Comment;
use membermail_core::clock::Clock;
use membermail_core::community::Community;
use membermail_core::message::SyncTeam;
use membermail_store::{Run, Store};
use membermail_sync::{DryRunResult, Engine, Limits, SyncError};
use ulid::Ulid;

use crate::context::Context;
use crate::deployment::{self, WorkQueue};
use crate::failure::Failure;
use crate::output;
use crate::progress;
use view::{PlanView, RequestView, RunList, RunView, reasons};

/// Commands for syncs.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Dry run: show what a sync of a domain would do now
    Plan {
        /// The domain
        domain: DomainName,
    },
    /// Request a full sync, even if the total of the team has not changed
    Run {
        /// The domains [default: all of the community]
        domains: Vec<DomainName>,
        #[command(flatten)]
        wait: Wait,
    },
    /// List the latest runs, newest first
    Runs {
        /// The domain [default: all of the community]
        domain: Option<DomainName>,
        /// Maximum number of runs per domain
        #[arg(long, value_name = "NUMBER", default_value_t = 10, value_parser = clap::value_parser!(i32).range(1..=1000))]
        limit: i32,
    },
    /// Show a run with its counts and steps
    Show {
        /// The run id from `sync runs`
        run: Ulid,
    },
    /// Release a held run, which applies its grants and removals
    Release {
        /// The run id from `sync runs`
        run: Ulid,
        /// What the audit log says about the decision
        #[arg(long, value_name = "TEXT")]
        comment: Option<Comment>,
        #[command(flatten)]
        wait: Wait,
    },
    /// Reject a held run; the same plan is not announced again
    Reject {
        /// The run id from `sync runs`
        run: Ulid,
        /// What the audit log says about the decision
        #[arg(long, value_name = "TEXT")]
        comment: Option<Comment>,
    },
}

/// Flags of commands that can wait for a run.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct Wait {
    /// Wait until the run has ended
    #[arg(long)]
    wait: bool,
    /// Stop waiting after this time; the run continues
    #[arg(long, value_name = "SECONDS", default_value_t = 900, requires = "wait")]
    timeout: u64,
}

impl Wait {
    /// The timeout, or `None` if the command does not wait.
    fn timeout(self) -> Option<Duration> {
        self.wait.then(|| Duration::from_secs(self.timeout))
    }
}

pub(crate) async fn run(context: &Context, command: Command) -> Result<(), Failure> {
    let store = context.deployment.store().await?;
    let community = context.deployment.community().await?;
    match command {
        Command::Plan { domain } => plan(context, &store, &community, &domain).await,
        Command::Run { domains, wait } => start(context, &store, &community, domains, wait).await,
        Command::Runs { domain, limit } => {
            let mut runs = Vec::new();
            for domain in resolve_domains(&store, &community, domain.into_iter().collect()).await? {
                runs.extend(store.runs(&domain, limit).await?);
            }
            runs.sort_by_key(|run| std::cmp::Reverse(run.id));
            context.output.show(&RunList { runs })
        }
        Command::Show { run } => {
            let run = find(&store, &community, run).await?;
            let steps = store.steps_of(&run.domain, run.id).await?;
            let announced = match run.waits_for {
                Some(announced) => store.run(&run.domain, announced).await?.map(|run| run.state),
                None => None,
            };
            context.output.show(&RunView { run, announced, steps })
        }
        Command::Release { run, comment, wait } => {
            decide::release(context, &store, &community, run, comment, wait).await
        }
        Command::Reject { run, comment } => decide::reject(context, &store, &community, run, comment).await,
    }
}

async fn plan(context: &Context, store: &Store, community: &Community, name: &DomainName) -> Result<(), Failure> {
    if store.domain(name).await?.retirement.is_none() {
        deployment::find_domain(community, name)?;
    }
    let source = context.deployment.source(community).await?;
    let engine = Engine {
        community,
        source: &*source,
        store,
        // A dry run needs no lease.
        lease: SignedDuration::ZERO,
        limits: Limits::default(),
        clock: &context.operator.clock,
        random: &context.operator.random,
    };
    let bar = progress::bar("participants read", 0);
    let read = |read, total: Option<u64>| {
        bar.set_length(total.unwrap_or(read));
        bar.set_position(read);
    };
    let DryRunResult { plan, held_for, .. } = engine.dry_run(name, None, &read).await.map_err(sync_failure)?;
    drop(bar);
    let reasons = reasons(&held_for);
    context.output.show(&PlanView { plan, held: !held_for.is_empty(), held_for })?;
    if reasons.is_empty() { Ok(()) } else { Err(Failure::Held(format!("a run would be held: {reasons}"))) }
}

async fn start(
    context: &Context,
    store: &Store,
    community: &Community,
    domains: Vec<DomainName>,
    options: Wait,
) -> Result<(), Failure> {
    let domains = resolve_domains(store, community, domains).await?;
    let request_id = context.operator.request_id().to_owned();
    let messages: Vec<_> = domains.iter().map(|domain| full_sync(domain, &request_id)).collect();
    let awaited = match options.timeout() {
        Some(timeout) => Some((wait::snapshot(store, &domains).await?, timeout)),
        None => None,
    };
    // The request is sent even if a scheduled one waits, because the queue may have been purged.
    for (domain, request) in store.sync_requests(domains.iter()).await? {
        if let Some(since) = request.waiting_since(context.operator.clock.now()) {
            let since = output::time(since);
            context.output.note(format!("A scheduled sync of {domain} has been waiting in the queue since {since}."));
        }
    }
    context.deployment.queue(WorkQueue::Sync).await?.send_all(&messages).await?;
    let Some((awaited, timeout)) = awaited else {
        return context.output.show(&RequestView { request_id, domains });
    };
    let runs = wait::wait_for_runs(store, &awaited, &request_id, timeout).await?;
    let outcome = wait::check_outcome(&runs);
    context.output.show(&RunList { runs })?;
    outcome
}

/// The message that requests a sync. `full` reads the team even if its total has not changed.
pub(crate) fn full_sync(domain: &DomainName, request_id: &str) -> SyncTeam {
    SyncTeam { full: true, ..SyncTeam::of(domain, request_id) }
}

/// The named domains, or all if there are none. Each must be in the community file or retiring.
async fn resolve_domains(
    store: &Store,
    community: &Community,
    named: Vec<DomainName>,
) -> Result<Vec<DomainName>, Failure> {
    let configured: Vec<_> = community.domain_names().cloned().collect();
    if named.is_empty() {
        return Ok(store.domains_to_sync(&configured).await?);
    }
    for name in &named {
        if store.domain(name).await?.retirement.is_none() {
            deployment::find_domain(community, name)?;
        }
    }
    Ok(named)
}

/// Finds a run by its id in any domain.
async fn find(store: &Store, community: &Community, id: Ulid) -> Result<Run, Failure> {
    let configured: Vec<_> = community.domain_names().cloned().collect();
    for domain in store.domains_to_sync(&configured).await? {
        if let Some(run) = store.run(&domain, id).await? {
            return Ok(run);
        }
    }
    Err(Failure::NotFound(format!("run {id}")))
}

fn sync_failure(error: SyncError) -> Failure {
    match error {
        SyncError::Store(cause) => cause.into(),
        SyncError::Queue(cause) => cause.into(),
        error => Failure::Other(membermail_runtime::batch::chain(&error)),
    }
}
