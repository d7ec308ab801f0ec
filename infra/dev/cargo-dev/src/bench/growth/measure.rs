//! Measures the usage of each operation at small sizes with the real functions. Linear growth is verified at a third size.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use membermail_core::address::Address;
use serde_json::json;

use super::status;
use super::template::Template;
use super::usage::{Line, Usage};
use super::visitor::{SignedIn, sign_in};
use super::world::{DOMAIN, TABLE, World};
use crate::bench::figures::float;

/// Sizes of the directory; most of its people are in the team.
const SIZES: [usize; 3] = [400, 800, 1_600];
/// Maximum relative deviation of the third measurement from the line.
const TOLERANCE: f64 = 0.05;
/// Sync periods in seconds for which the rolling check covers one member, and more members.
const ONE_MEMBER: u32 = 1;
const SOME_MEMBERS: u32 = 900;
const MORE_MEMBERS: u32 = 1_800;
const MOST_MEMBERS: u32 = 3_600;
/// Longer than the minimum interval of `verify-member` between two checks of a member.
const CHECK_PAUSE: Duration = Duration::from_secs(11);
/// Units that must grow linearly.
const UNITS: [&str; 3] = ["read units", "write units", "Launchpad requests"];

/// Usage of all operations of a month.
pub(crate) struct Measured {
    /// A run that reads the team and changes nothing, without the rolling check, by number of aliases.
    pub(crate) full_run: Line,
    /// A run that skips reading because nothing has changed.
    pub(crate) quiet_run: Line,
    /// Write units of checkpoints, by number of aliases. Runs write them if reading takes over a minute.
    pub(crate) checkpoints: Line,
    /// One member of the rolling check.
    pub(crate) rolling: Usage,
    /// One leaving member: the step and its notices, without the run.
    pub(crate) leave: Usage,
    /// One digest to the admins of a domain.
    pub(crate) digest: Usage,
    /// A first sign-in with its address.
    pub(crate) first_sign_in: Usage,
    /// A later sign-in.
    pub(crate) sign_in: Usage,
    /// One view of the member's page.
    pub(crate) page: Usage,
    /// One invocation of start-sync, per domain.
    pub(crate) start_sync: Usage,
    /// One invocation of check-domains, per domain.
    pub(crate) check_domain: Usage,
    /// All samples of the status page in a month.
    pub(crate) status: Usage,
    /// Scheduled messages: times per month, and usage of each.
    pub(crate) swept: Vec<(f64, Usage)>,
    /// The lookup of alias-map for one mail.
    pub(crate) mail: Usage,
    /// Table bytes per alias, including its member.
    pub(crate) bytes: f64,
    /// Entries on the team's pages per alias.
    pub(crate) participants: f64,
    /// Deviations from linear growth.
    pub(crate) missed: Vec<String>,
}

/// The runs of one size.
struct Runs {
    aliases: f64,
    full: Usage,
    quiet: Usage,
    checkpoints: Usage,
    bytes: f64,
    participants: f64,
}

pub(crate) async fn measure(template: &Template, domains: usize) -> Result<Measured> {
    let mut runs = Vec::new();
    let mut world = None;
    for people in SIZES {
        eprintln!("  … {people} people");
        // Stop the previous services first.
        drop(world.take());
        let mut new = World::start(people, template).await?;
        runs.push(measure_runs(&mut new).await.with_context(|| format!("{people} people"))?);
        world = Some(new);
    }
    let mut world = world.context("no size")?;
    let [small, middle, large] = runs.as_slice() else { anyhow::bail!("three sizes are needed") };
    let line = |of: fn(&Runs) -> &Usage| Line::through((small.aliases, of(small)), (middle.aliases, of(middle)));
    let full_run = line(|run| &run.full);
    let quiet_run = line(|run| &run.quiet);
    let mut missed = full_run.contradicted(large.aliases, &large.full, &UNITS, TOLERANCE);
    missed.extend(quiet_run.contradicted(large.aliases, &large.quiet, &UNITS, TOLERANCE));
    let checkpoints = line(|run| &run.checkpoints);
    eprintln!("  … the rolling check");
    let rolling = rolling(&mut world, &mut missed).await?;
    eprintln!("  … members");
    world.restart(ONE_MEMBER, &[]).await?;
    let members = members(&world, &mut missed).await?;
    eprintln!("  … schedules");
    let per_domain = 1.0 / float(domains);
    let (_, start, sent) = world.invoke("start-sync", &json!({})).await?;
    ensure!(sent.len() == domains, "start-sync requested {} syncs for {domains} domains", sent.len());
    // The first check also stores new results.
    world.invoke("check-domains", &json!({})).await?;
    let (_, check, _) = world.invoke("check-domains", &json!({})).await?;
    let samples = template.function("check-status")?.scheduled.context("check-status has no schedule")?;
    let status = status::measure(&world, samples).await?;
    let mut swept = Vec::new();
    for (queue, body, times) in template.scheduled_messages()? {
        let sent = super::cloud::Sent { queue, body, is_delayed: false };
        swept.push((times, world.deliver(vec![sent]).await?));
    }
    Ok(Measured {
        full_run,
        quiet_run,
        checkpoints,
        rolling,
        leave: members.leave,
        digest: members.digest,
        first_sign_in: members.first,
        sign_in: members.later,
        page: members.page,
        start_sync: &start * per_domain,
        check_domain: &check * per_domain,
        status,
        swept,
        mail: members.mail,
        bytes: large.bytes / large.aliases,
        participants: large.participants / large.aliases,
        missed,
    })
}

/// Measures the runs of one size, each with one member of the rolling check.
async fn measure_runs(world: &mut World) -> Result<Runs> {
    world.restart(ONE_MEMBER, &[]).await?;
    // The first run stores the roster.
    world.sync().await?;
    let (aliases, bytes) = world.table_size().await?;
    world.add_to_team("growth-outsider").await?;
    let full = world.sync().await?;
    let quiet = world.sync().await?;
    // Read each page in its own invocation, so that each writes a checkpoint.
    world.add_to_team("growth-other").await?;
    world.restart(ONE_MEMBER, &[("SYNC_INVOCATION_SECONDS", "0")]).await?;
    let saved = world.sync().await?;
    let checkpoints = Usage::of("write units", saved.get("checkpoint units"));
    Ok(Runs { aliases, full, quiet, checkpoints, bytes, participants: world.participants().await? })
}

/// Measures one member of the rolling check: the extra usage per member of runs that check many.
async fn rolling(world: &mut World, missed: &mut Vec<String>) -> Result<Usage> {
    world.restart(ONE_MEMBER, &[]).await?;
    world.sync().await?;
    let single = world.sync().await?;
    let mut more = Vec::new();
    for period in [SOME_MEMBERS, MORE_MEMBERS, MOST_MEMBERS] {
        world.restart(period, &[]).await?;
        let run = world.sync().await?;
        // Each member is one Launchpad request.
        more.push((run.get("Launchpad requests") - single.get("Launchpad requests"), run));
    }
    let [(few, at_few), (some, at_some), (many, at_many)] = more.as_slice() else {
        anyhow::bail!("three runs are needed")
    };
    ensure!(
        *few > 1.0 && some > few && many > some,
        "the rolling check looks up {few}, {some} and {many} members more"
    );
    let line = Line::through((*few, at_few), (*some, at_some));
    missed.extend(line.contradicted(*many, at_many, &UNITS, TOLERANCE));
    Ok(line.each.floored())
}

struct Members {
    first: Usage,
    later: Usage,
    page: Usage,
    leave: Usage,
    digest: Usage,
    mail: Usage,
}

/// Measures members who sign in, sign in again, and leave.
async fn members(world: &World, missed: &mut Vec<String>) -> Result<Members> {
    let mut first = Vec::new();
    for number in 0..14 {
        world.add_to_team(&member_name(number)).await?;
        first.push(sign_in(world, &member_name(number)).await?);
    }
    // The first sign-in runs with cold caches.
    let [_, second, third, ..] = first.as_slice() else { anyhow::bail!("three members are needed") };
    let steady = Line { base: second.usage.clone(), each: Usage::default() };
    missed.extend(steady.contradicted(3.0, &third.usage, &UNITS, TOLERANCE));
    // verify-member skips members that were checked just before.
    tokio::time::sleep(CHECK_PAUSE).await;
    let again = sign_in(world, &member_name(1)).await?;
    let mail = mail(world, &format!("{}@{DOMAIN}", member_name(1))).await?;
    // This run picks up the sign-ins.
    world.sync().await?;
    let mut runs = Vec::new();
    for leaving in [2_usize..4, 4..8, 8..14] {
        let count = leaving.len();
        for number in leaving {
            world.remove_from_team(&member_name(number)).await?;
        }
        runs.push((float(count), world.sync().await?));
    }
    let [(few, at_few), (some, at_some), (many, at_many)] = runs.as_slice() else {
        anyhow::bail!("three runs are needed")
    };
    let line = Line::through((*few, at_few), (*some, at_some));
    missed.extend(line.contradicted(*many, at_many, &["write units", "Launchpad requests"], TOLERANCE));
    world.add_to_team("growth-last").await?;
    let without_leavers = world.sync().await?;
    let SignedIn { page, usage } = again;
    Ok(Members {
        first: second.usage.clone(),
        later: usage,
        page,
        leave: line.each.floored(),
        digest: (&line.base - &without_leavers).floored(),
        mail,
    })
}

fn member_name(number: usize) -> String {
    format!("growth-member-{number:02}")
}

/// Measures the reads of `alias-map` for one mail: the alias, and the member, whose key context unseals the destination.
async fn mail(world: &World, address: &str) -> Result<Usage> {
    let store = world.store().await;
    let address = Address::try_from(address.to_owned())?;
    world.cloud.reset();
    let stored = store.alias(&address).await?.with_context(|| format!("no address in {TABLE}"))?;
    store.member(stored.alias.member).await?.context("no member")?;
    Ok(world.cloud.reset().usage)
}
