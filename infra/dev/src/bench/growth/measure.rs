//! What each kind of operation takes, measured at small sizes with the real functions. What must grow with a line is
//! measured at a third size too, and is an error where it does not.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use membermail_core::address::Address;
use serde_json::json;

use super::template::Template;
use super::usage::{Line, Usage};
use super::visitor::{SignedIn, sign_in};
use super::world::{DOMAIN, TABLE, World};

/// Sizes of the directory; most of its people are in the team.
const SIZES: [usize; 3] = [400, 800, 1_600];
/// How far a third measurement may be off the line.
const TOLERANCE: f64 = 0.05;
/// A run whose share of the rolling check is one member, and runs with more.
const ONE_MEMBER: u32 = 1;
const SOME_MEMBERS: u32 = 900;
const MORE_MEMBERS: u32 = 1_800;
const MOST_MEMBERS: u32 = 3_600;
/// Longer than the pause of `verify-member` between two checks of a member.
const CHECK_PAUSE: Duration = Duration::from_secs(11);
/// Units that are compared.
const UNITS: [&str; 3] = ["read units", "write units", "Launchpad requests"];

/// Everything that a month is made of.
pub(crate) struct Measured {
    /// A run that reads the team and changes nothing, without the rolling check, by aliases of the domain.
    pub(crate) full_run: Line,
    /// The run after it, of which nothing has changed since.
    pub(crate) quiet_run: Line,
    /// Write units of checkpoints, by aliases: a run saves them where reading takes more than a minute.
    pub(crate) checkpoints: Line,
    /// One member of the rolling check.
    pub(crate) rolling: Usage,
    /// One member who leaves: the step, and who is told. Without the run.
    pub(crate) leave: Usage,
    /// One digest to the admins of a domain.
    pub(crate) digest: Usage,
    /// A first sign-in with its address, a later one, and one request for the member's page.
    pub(crate) first_sign_in: Usage,
    pub(crate) sign_in: Usage,
    pub(crate) page: Usage,
    /// One schedule of start-sync and check-domains, and of each message that is sent by schedule. For one domain.
    pub(crate) start_sync: Usage,
    pub(crate) check_domain: Usage,
    pub(crate) swept: Vec<(f64, Usage)>,
    /// One mail to an address, as alias-map looks it up.
    pub(crate) mail: Usage,
    /// Bytes of the table for each alias, with its member.
    pub(crate) bytes: f64,
    /// Entries on the team's pages for each alias.
    pub(crate) participants: f64,
    /// What was not as expected.
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
        // The one before ends first.
        drop(world.take());
        let mut new = World::start(people, template).await?;
        runs.push(size(&mut new).await.with_context(|| format!("{people} people"))?);
        world = Some(new);
    }
    let mut world = world.context("no size")?;
    let [small, middle, large] = runs.as_slice() else { anyhow::bail!("three sizes are needed") };
    let line = |of: fn(&Runs) -> &Usage| Line::through((small.aliases, of(small)), (middle.aliases, of(middle)));
    let (full_run, quiet_run) = (line(|run| &run.full), line(|run| &run.quiet));
    let mut missed = full_run.contradicted(large.aliases, &large.full, &UNITS, TOLERANCE);
    missed.extend(quiet_run.contradicted(large.aliases, &large.quiet, &UNITS, TOLERANCE));
    let checkpoints = line(|run| &run.checkpoints);
    eprintln!("  … the rolling check");
    let rolling = rolling(&mut world, &mut missed).await?;
    eprintln!("  … members");
    world.restart(ONE_MEMBER, &[]).await?;
    let members = members(&world, &mut missed).await?;
    eprintln!("  … schedules");
    let per_domain = 1.0 / f64::from(u32::try_from(domains)?);
    let (_, start, sent) = world.invoke("start-sync", &json!({})).await?;
    ensure!(sent.len() == domains, "start-sync asked for {} syncs of {domains} domains", sent.len());
    // The first check writes down what is new.
    world.invoke("check-domains", &json!({})).await?;
    let (_, check, _) = world.invoke("check-domains", &json!({})).await?;
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
        swept,
        mail: members.mail,
        bytes: large.bytes / large.aliases,
        participants: large.participants / large.aliases,
        missed,
    })
}

/// The runs of one size, each with one member of the rolling check.
async fn size(world: &mut World) -> Result<Runs> {
    world.restart(ONE_MEMBER, &[]).await?;
    // The first run writes down the roster.
    world.sync().await?;
    let (aliases, bytes) = world.table().await?;
    world.joins("growth-outsider").await?;
    let full = world.sync().await?;
    let quiet = world.sync().await?;
    // Each page in an invocation of its own, so that each is saved.
    world.joins("growth-other").await?;
    world.restart(ONE_MEMBER, &[("SYNC_INVOCATION_SECONDS", "0")]).await?;
    let saved = world.sync().await?;
    let checkpoints = Usage::of("write units", saved.get("checkpoint units"));
    Ok(Runs { aliases, full, quiet, checkpoints, bytes, participants: world.participants().await? })
}

/// One member of the rolling check: what runs with many take beyond one with a single member, each.
async fn rolling(world: &mut World, missed: &mut Vec<String>) -> Result<Usage> {
    world.restart(ONE_MEMBER, &[]).await?;
    world.sync().await?;
    let one = world.sync().await?;
    let mut more = Vec::new();
    for period in [SOME_MEMBERS, MORE_MEMBERS, MOST_MEMBERS] {
        world.restart(period, &[]).await?;
        let run = world.sync().await?;
        // Each is one request.
        more.push((run.get("Launchpad requests") - one.get("Launchpad requests"), run));
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

/// Members who sign in, sign in again, and leave.
async fn members(world: &World, missed: &mut Vec<String>) -> Result<Members> {
    let name = |number: usize| format!("growth-member-{number:02}");
    let mut first = Vec::new();
    for number in 0..14 {
        world.joins(&name(number)).await?;
        first.push(sign_in(world, &name(number)).await?);
    }
    // The first one finds nothing cached.
    let [_, second, third, ..] = first.as_slice() else { anyhow::bail!("three members are needed") };
    let steady = Line { base: second.usage.clone(), each: Usage::default() };
    missed.extend(steady.contradicted(3.0, &third.usage, &UNITS, TOLERANCE));
    // A member is not checked again so soon.
    tokio::time::sleep(CHECK_PAUSE).await;
    let again = sign_in(world, &name(1)).await?;
    let mail = mail(world, &format!("{}@{DOMAIN}", name(1))).await?;
    // The run after the sign-ins reads them.
    world.sync().await?;
    let mut runs = Vec::new();
    for leaving in [2_usize..4, 4..8, 8..14] {
        let count = leaving.len();
        for number in leaving {
            world.leaves(&name(number)).await?;
        }
        runs.push((f64::from(u32::try_from(count)?), world.sync().await?));
    }
    let [(few, at_few), (some, at_some), (many, at_many)] = runs.as_slice() else {
        anyhow::bail!("three runs are needed")
    };
    let line = Line::through((*few, at_few), (*some, at_some));
    missed.extend(line.contradicted(*many, at_many, &["write units", "Launchpad requests"], TOLERANCE));
    world.joins("growth-last").await?;
    let nothing = world.sync().await?;
    let SignedIn { page, usage } = again;
    Ok(Members {
        first: second.usage.clone(),
        later: usage,
        page,
        leave: line.each.floored(),
        digest: (&line.base - &nothing).floored(),
        mail,
    })
}

/// What `alias-map` reads for one mail: the alias, and the member whose key opens its destination.
async fn mail(world: &World, address: &str) -> Result<Usage> {
    let (store, address) = (world.store().await, Address::try_from(address.to_owned())?);
    drop(world.cloud.take());
    let stored = store.alias(&address).await?.with_context(|| format!("no address in {TABLE}"))?;
    store.member(stored.alias.member).await?.context("no member")?;
    Ok(world.cloud.take().usage)
}
