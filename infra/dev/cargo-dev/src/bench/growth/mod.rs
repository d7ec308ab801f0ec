//! `cargo dev bench growth`: the monthly cost at list prices, by community size. docs/growth.md describes the method and the
//! next limits.

use anyhow::Result;
use membermail_toolbox::step;
use serde_json::{Value, json};

mod capacity;
mod cloud;
mod lambda;
mod measure;
mod month;
mod prices;
mod status;
mod template;
mod usage;
mod visitor;
mod world;

use self::measure::Measured;
use self::month::{Community, Month};
use self::prices::{DATE, PRICES, SOURCES};
pub(super) use self::template::Template;
use super::figures::rounded;
use super::report;
use crate::builds::{NAMES, Profile};
use crate::functions::build;
use crate::tools;

/// Communities, with the maximum monthly cost in dollars.
const SIZES: [(Community, Option<f64>); 4] = [
    (Community { members: 2_000.0, domains: 6.0 }, Some(5.0)),
    (Community { members: 100_000.0, domains: 10.0 }, None),
    (Community { members: 1_000_000.0, domains: 100.0 }, Some(100.0)),
    (Community { members: 10_000_000.0, domains: 1_000.0 }, None),
];
/// Target: reads grow at most by this factor relative to aliases.
const MAX_READ_GROWTH: f64 = 1.1;

/// Options of `cargo dev bench growth`.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Print JSON instead of a table
    #[arg(long)]
    json: bool,
}

/// Measures each operation, and calculates a month for each size.
pub(crate) async fn growth(options: &Options) -> Result<()> {
    tools::install()?;
    membermail_localstack::install()?;
    let programs: Vec<_> = NAMES.into_iter().chain(["fakes"]).collect();
    build(&programs, Profile::Dev)?;
    step::run_attached(step::cargo().args(["build", "--package", "membermail-sync", "--example", "measure"]))?;
    let template = Template::read()?;
    let ubuntu = membermail_communities::community("ubuntu")?;
    let measured = measure::measure(&template, ubuntu.domains.len()).await?;
    let months: Vec<_> = SIZES
        .iter()
        .map(|(community, _)| Month::of(*community, &template, &ubuntu.rules, &measured))
        .collect::<Result<_>>()?;
    let missed = missed(&measured, &months);
    let value = json(&measured, &months, &missed);
    report(options.json.then_some(&value), &table(&months), &missed)
}

fn missed(measured: &Measured, months: &[Month]) -> Vec<String> {
    let mut missed: Vec<_> = measured.missed.iter().map(|why| format!("not linear: {why}")).collect();
    for (month, (community, maximum)) in months.iter().zip(SIZES) {
        let (_, dollars) = month.bill();
        if let Some(maximum) = maximum.filter(|maximum| dollars > *maximum) {
            missed.push(format!("${dollars:.2} a month at {} members, maximum ${maximum}", community.members));
        }
    }
    for pair in months.windows(2).skip(1) {
        let [small, large] = pair else { continue };
        let reads = large.usage.get("read units") / small.usage.get("read units");
        let aliases = large.community.members / small.community.members;
        if reads > aliases * MAX_READ_GROWTH {
            missed.push(format!("reads grow by a factor of {reads:.1}, aliases only by {aliases:.1}"));
        }
    }
    missed
}

fn table(months: &[Month]) -> Vec<Vec<String>> {
    let mut table = vec![
        row(months, "a month", |month| format!("{} members", whole(month.community.members))),
        row(months, "domains", |month| whole(month.community.domains)),
    ];
    for price in &PRICES {
        table.push(row(months, price.description, |month| amount(price.unit, month.usage.get(price.unit))));
    }
    table.push(row(months, "slots of sync-team in use", |month| format!("{:.0}%", month.busy * 100.0)));
    table.push(row(months, "hours between a domain's runs", |month| format!("{:.1}", month.hours_between_runs)));
    let services: Vec<_> = months.first().map(|month| month.bill().0).unwrap_or_default();
    for (index, (service, _)) in services.iter().enumerate() {
        table.push(row(months, &format!("$ {service}"), |month| {
            let dollars = month.bill().0.get(index).map_or(0.0, |(_, dollars)| *dollars);
            format!("{dollars:.2}")
        }));
    }
    table.push(row(months, "**$ a month**", |month| format!("**{:.2}**", month.bill().1)));
    table
}

fn row(months: &[Month], name: &str, cell: impl Fn(&Month) -> String) -> Vec<String> {
    std::iter::once(name.to_owned()).chain(months.iter().map(cell)).collect()
}

/// Formats an amount: bytes as MB, small numbers with decimals.
fn amount(unit: &str, amount: f64) -> String {
    if unit.contains("bytes") {
        return format!("{} MB", whole((amount / 1e6).ceil()));
    }
    if amount < 10.0 && amount.fract() > 0.0 { format!("{amount:.2}") } else { whole(amount.round()) }
}

/// Formats a number with thousands separators.
fn whole(number: f64) -> String {
    let digits = format!("{number:.0}");
    let groups: Vec<_> = digits.as_bytes().rchunks(3).rev().map(|group| String::from_utf8_lossy(group)).collect();
    groups.join(",")
}

fn json(measured: &Measured, months: &[Month], missed: &[String]) -> Value {
    let months: Vec<_> = months
        .iter()
        .map(|month| {
            let (services, sum) = month.bill();
            let services: serde_json::Map<_, _> =
                services.into_iter().map(|(name, dollars)| (name.to_owned(), json!(rounded(dollars)))).collect();
            json!({
                "members": month.community.members, "domains": month.community.domains, "usage": month.usage,
                "dollars": services, "dollars_a_month": rounded(sum), "slots_in_use": rounded(month.busy),
                "hours_between_runs": rounded(month.hours_between_runs),
            })
        })
        .collect();
    json!({
        "prices": { "region": "us-east-1", "date": DATE, "read_at": SOURCES.map(|(service, page)| json!({ service: page })) },
        "operations": {
            "full_run": measured.full_run, "quiet_run": measured.quiet_run, "checkpoints": measured.checkpoints,
            "rolling_check_of_a_member": measured.rolling, "step_of_a_leaver": measured.leave,
            "digest": measured.digest, "first_sign_in": measured.first_sign_in, "sign_in": measured.sign_in,
            "page": measured.page, "start_sync_of_a_domain": measured.start_sync,
            "check_of_a_domain": measured.check_domain, "mail": measured.mail, "status_page_a_month": measured.status,
        },
        "months": months,
        "missed": missed,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case("read units", 1_234_567.2, "1,234,567")]
    #[case("metrics", 1.25, "1.25")]
    #[case("secrets", 2.0, "2")]
    #[case("table bytes", 1_500_000_000.0, "1,500 MB")]
    fn amounts_are_readable(#[case] unit: &str, #[case] figure: f64, #[case] text: &str) {
        assert_eq!(amount(unit, figure), text);
    }
}
