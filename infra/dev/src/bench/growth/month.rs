//! A month of a community of any size: operations by the template's schedules and by what members do, times what each takes.

use anyhow::{Context, Result};
use jiff::SignedDuration;
use membermail_core::community::Rules;
use membermail_core::rolling::members_per_run;

use super::measure::Measured;
use super::prices::PRICES;
use super::template::{HOURS, Template};
use super::usage::Usage;
use super::world::LAUNCHPAD_SECONDS;

/// What members do in a month, for each member. As many leave as join.
const LEAVE: f64 = 0.01;
const JOIN: f64 = 0.01;
/// A leaver's address is leaving, then suspended, then retired.
const STEPS: f64 = 3.0;
const SIGN_IN: f64 = 0.25;
/// Requests to `account` for each sign-in: the page, its three files, and the part that is in progress.
const VIEWS: f64 = 10.0;
/// Addresses of a member, and mails to each address.
const ADDRESSES: f64 = 1.2;
const MAILS: f64 = 30.0;
/// Reading that takes longer is saved.
const CHECKPOINT_SECONDS: f64 = 60.0;
const PAGE: f64 = 300.0;
/// Lambda polls a queue by so many connections, each for 20 seconds; with a maximum of concurrency it never takes fewer.
const POLLERS: f64 = 5.0;
const FEWEST_POLLERS: f64 = 2.0;
const POLLS: f64 = 3.0 * 60.0 * HOURS;
/// A function reads a secret every five minutes at most, in each of a few instances.
const SECRET_READS: f64 = 4.0 * 12.0 * HOURS;

/// A community.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Community {
    pub(crate) members: f64,
    pub(crate) domains: f64,
}

/// What a month takes.
pub(crate) struct Month {
    pub(crate) community: Community,
    pub(crate) usage: Usage,
    /// The part of the time in which all slots of `sync-team` are busy; where more is asked for, syncs come later.
    pub(crate) busy: f64,
    /// Hours from one run of a domain to the next.
    pub(crate) hours_between_runs: f64,
}

impl Month {
    /// By the template's schedules and the rules of a community file.
    pub(crate) fn of(community: Community, template: &Template, rules: &Rules, measured: &Measured) -> Result<Self> {
        let Community { members, domains } = community;
        let functions = template.functions()?;
        let named = |name: &str| functions.iter().find(|one| one.name == name).with_context(|| format!("no {name}"));
        let aliases = members * ADDRESSES / domains;
        let scheduled = named("start-sync")?.scheduled.context("start-sync has no schedule")?;
        let hours = HOURS / scheduled;
        let rolling = {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a number of aliases")]
            let members = aliases.ceil() as usize;
            let period = SignedDuration::from_secs_f64(hours * 3600.0);
            f64::from(u32::try_from(members_per_run(members, period))?)
        };
        let sync = named("sync-team")?;
        let pace: f64 = template.parameter("SyncPaceMilliseconds").context("no pace")?.parse()?;
        let mut looked_up = measured.rolling.clone();
        looked_up.add("sync seconds", pace / 1000.0);
        looked_up.add("GB-seconds", pace / 1000.0 * f64::from(sync.memory) / 1024.0);

        // Full readings: by the clock, and after each change of the team's total.
        let (leaving, joining) = (members * LEAVE * ADDRESSES / domains, members * JOIN * ADDRESSES / domains);
        let read_hours = f64::from(rules.full_read_hours);
        let full = (HOURS / read_hours.max(hours) + leaving + joining).min(scheduled);
        let mut syncs = &measured.full_run.at(aliases) * full;
        syncs += &(&measured.quiet_run.at(aliases) * (scheduled - full));
        syncs += &(&looked_up * (rolling * scheduled));
        if aliases * measured.participants / PAGE * LAUNCHPAD_SECONDS > CHECKPOINT_SECONDS {
            syncs += &(&measured.checkpoints.at(aliases) * full);
        }
        let slots: f64 = template.parameter("SyncSlots").context("no slots")?.parse()?;
        let busy = syncs.get("sync seconds") * domains / (slots * HOURS * 3600.0);
        // No more than the slots can: a domain that waits is not asked for once more.
        let mut usage = &syncs * (domains / busy.max(1.0));

        let (leaves, joins, sign_ins) = (leaving * domains, members * JOIN, members * SIGN_IN);
        usage += &(&measured.leave * (leaves * STEPS));
        usage += &(&measured.first_sign_in * joins);
        usage += &(&measured.sign_in * sign_ins);
        usage += &(&measured.page * ((joins + sign_ins) * VIEWS));
        usage += &(&measured.digest * (leaves * STEPS + joining * domains));
        usage += &(&measured.start_sync * (scheduled * domains));
        usage += &(&measured.check_domain * (named("check-domains")?.scheduled.unwrap_or_default() * domains));
        for (times, swept) in &measured.swept {
            usage += &(swept * *times);
        }
        usage += &(&measured.mail * (members * ADDRESSES * MAILS));
        standing(template, measured, aliases * domains, &mut usage)?;
        Ok(Self { community, usage, busy, hours_between_runs: hours * busy.max(1.0) })
    }

    /// Dollars by service, in the order of the prices, and all of them.
    pub(crate) fn bill(&self) -> (Vec<(&'static str, f64)>, f64) {
        let mut services: Vec<(&'static str, f64)> = Vec::new();
        for price in PRICES.iter().filter(|price| price.dollars > 0.0) {
            let dollars = self.usage.get(price.unit) * price.dollars;
            match services.iter_mut().find(|(service, _)| *service == price.service) {
                Some((_, sum)) => *sum += dollars,
                None => services.push((price.service, dollars)),
            }
        }
        let sum = services.iter().map(|(_, dollars)| dollars).sum();
        (services, sum)
    }
}

/// What is paid for by the month, by what there is.
fn standing(template: &Template, measured: &Measured, aliases: f64, usage: &mut Usage) -> Result<()> {
    let number = |count: usize| u32::try_from(count).map(f64::from);
    usage.add("alarm metrics", number(template.alarm_metrics())?);
    usage.add("dashboards", number(template.dashboards())?);
    usage.add("secrets", number(template.secrets())?);
    let (mut polls, mut reads) = (0.0, 0.0);
    for function in template.functions()? {
        for (_, most) in &function.queues {
            polls += POLLS * if most.is_some() { POLLERS } else { FEWEST_POLLERS };
        }
        let secrets = function.secrets.len();
        reads += number(secrets)? * usage.get(&format!("invocations of {}", function.name)).min(SECRET_READS);
    }
    usage.add("polls", polls);
    // Processes that were measured had just started; those of a month go on.
    usage.0.insert("secret reads".to_owned(), reads);
    // A metric is paid for by the hour in which it has a value.
    let series = usage.0.iter().filter(|(unit, _)| unit.starts_with("series "));
    let metrics: f64 = series.map(|(_, values)| values.clamp(0.0, HOURS) / HOURS).sum();
    usage.add("metrics", metrics);
    let kept: f64 = template.parameter("LogRetentionDays").context("no retention")?.parse()?;
    usage.add("stored log bytes", usage.get("log bytes") * kept * 24.0 / HOURS);
    for unit in ["table bytes", "backup bytes"] {
        usage.add(unit, aliases * measured.bytes);
    }
    Ok(())
}

#[cfg(test)]
#[path = "month_tests.rs"]
mod tests;
