//! The usage of a month for a community of any size: the number of operations, by schedules and member activity, times the
//! usage of each.

use anyhow::{Context, Result};
use jiff::SignedDuration;
use membermail_core::community::Rules;
use membermail_core::rolling::members_per_run;

use super::measure::Measured;
use super::prices::PRICES;
use super::template::{HOURS, Template};
use super::usage::Usage;
use super::world::LAUNCHPAD_SECONDS;
use crate::bench::figures::float;

/// Assumed activity per member and month. As many leave as join.
const LEAVE: f64 = 0.01;
const JOIN: f64 = 0.01;
/// Steps of a leaver's address: leaving, suspended, retired.
const STEPS: f64 = 3.0;
const SIGN_IN: f64 = 0.25;
/// Requests to `account` per sign-in: the page, its three files, and the progress updates.
const VIEWS: f64 = 10.0;
/// Requests of admins to `admin` per domain; each counts as one to `account`, which reads about as much.
const ADMIN_VIEWS: f64 = 50.0;
/// Addresses per member, and mails per address.
const ADDRESSES: f64 = 1.2;
const MAILS: f64 = 30.0;
/// Reading longer than this writes checkpoints.
const CHECKPOINT_SECONDS: f64 = 60.0;
const PAGE: f64 = 300.0;
/// Connections with which Lambda polls a queue, 20 seconds each, if the event source has a maximum concurrency.
const POLLERS: f64 = 5.0;
/// Polling connections of an idle queue without a maximum concurrency.
const MIN_POLLERS: f64 = 2.0;
const POLLS: f64 = 3.0 * 60.0 * HOURS;
/// Maximum secret reads per function: every five minutes, in four instances.
const SECRET_READS: f64 = 4.0 * 12.0 * HOURS;

/// The size of a community.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Community {
    pub(crate) members: f64,
    pub(crate) domains: f64,
}

/// The usage of a month.
pub(crate) struct Month {
    pub(crate) community: Community,
    pub(crate) usage: Usage,
    /// Utilisation of the slots of `sync-team`; above 1, syncs are delayed.
    pub(crate) busy: f64,
    /// Hours between two runs of a domain.
    pub(crate) hours_between_runs: f64,
}

impl Month {
    /// Calculates a month from the template's schedules and the rules of a community file.
    pub(crate) fn of(community: Community, template: &Template, rules: &Rules, measured: &Measured) -> Result<Self> {
        let Community { members, domains } = community;
        let aliases = members * ADDRESSES / domains;
        let scheduled = template.function("start-sync")?.scheduled.context("start-sync has no schedule")?;
        let hours = HOURS / scheduled;
        let rolling = {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a number of aliases")]
            let members = aliases.ceil() as usize;
            let period = SignedDuration::from_secs_f64(hours * 3600.0);
            float(members_per_run(members, period))
        };
        let sync = template.function("sync-team")?;
        let pace: f64 = template.parameter("SyncPaceMilliseconds").context("no pace")?.parse()?;
        let mut rolling_check = measured.rolling.clone();
        rolling_check.add("sync seconds", pace / 1000.0);
        rolling_check.add("GB-seconds", pace / 1000.0 * f64::from(sync.memory) / 1024.0);

        // Full readings happen periodically, and after each change of the team's size.
        let leaving = members * LEAVE * ADDRESSES / domains;
        let joining = members * JOIN * ADDRESSES / domains;
        let read_hours = f64::from(rules.full_read_hours);
        let full = (HOURS / read_hours.max(hours) + leaving + joining).min(scheduled);
        let mut syncs = &measured.full_run.at(aliases) * full;
        syncs += &(&measured.quiet_run.at(aliases) * (scheduled - full));
        syncs += &(&rolling_check * (rolling * scheduled));
        if aliases * measured.participants / PAGE * LAUNCHPAD_SECONDS > CHECKPOINT_SECONDS {
            syncs += &(&measured.checkpoints.at(aliases) * full);
        }
        let slots: f64 = template.parameter("SyncSlots").context("no slots")?.parse()?;
        let busy = syncs.get("sync seconds") * domains / (slots * HOURS * 3600.0);
        // The slots limit the total: a waiting domain is not enqueued again.
        let mut usage = &syncs * (domains / busy.max(1.0));

        let leaves = leaving * domains;
        let joins = members * JOIN;
        let sign_ins = members * SIGN_IN;
        usage += &(&measured.leave * (leaves * STEPS));
        usage += &(&measured.first_sign_in * joins);
        usage += &(&measured.sign_in * sign_ins);
        usage += &(&measured.page * ((joins + sign_ins) * VIEWS));
        usage += &(&measured.digest * (leaves * STEPS + joining * domains));
        usage += &(&measured.start_sync * (scheduled * domains));
        usage +=
            &(&measured.check_domain * (template.function("check-domains")?.scheduled.unwrap_or_default() * domains));
        usage += &measured.status;
        usage += &(&measured.page * (ADMIN_VIEWS * domains));
        for (times, swept) in &measured.swept {
            usage += &(swept * *times);
        }
        usage += &(&measured.mail * (members * ADDRESSES * MAILS));
        add_fixed_usage(template, measured, aliases * domains, &mut usage)?;
        Ok(Self { community, usage, busy, hours_between_runs: hours * busy.max(1.0) })
    }

    /// Dollars by service, in the order of the prices, and the total.
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

/// Adds usage that is billed per month: metrics, alarms, secrets, polling, storage.
fn add_fixed_usage(template: &Template, measured: &Measured, aliases: f64, usage: &mut Usage) -> Result<()> {
    usage.add("alarm metrics", float(template.alarm_metrics()));
    usage.add("dashboards", float(template.dashboards()));
    usage.add("secrets", float(template.secrets()));
    let mut polls = 0.0;
    let mut reads = 0.0;
    for function in template.functions()? {
        for source in function.queues.iter().filter(|source| source.enabled) {
            polls += POLLS * if source.max_concurrency.is_some() { POLLERS } else { MIN_POLLERS };
        }
        reads +=
            float(function.secrets.len()) * usage.get(&format!("invocations of {}", function.name)).min(SECRET_READS);
    }
    usage.add("polls", polls);
    // The measured processes had cold caches, so their secret reads do not apply.
    usage.0.insert("secret reads".to_owned(), reads);
    // A metric is billed for each hour in which it has a value.
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
