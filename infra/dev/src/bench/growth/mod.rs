//! `cargo dev bench growth`: what a month costs at list prices, by the size of the community. docs/growth.md says what is
//! counted and how, and what limits come next.

use anyhow::{Context, Result};
use membermail_toolbox::workspace;
use serde_json::{Value, json};

mod capacity;
mod cloud;
mod lambda;
mod measure;
mod month;
mod prices;
mod template;
mod usage;
mod visitor;
mod world;

use self::measure::Measured;
use self::month::{Community, Month};
use self::prices::{DATE, PRICES, READ};
use self::template::Template;
use super::figures::rounded;
use super::report;
use crate::functions::{NAMES, Profile, build, said};
use crate::{mailbox, tools};

/// Communities, each with the most that its month may cost, in dollars.
const SIZES: [(Community, Option<f64>); 4] = [
    (Community { members: 2_000.0, domains: 6.0 }, Some(5.0)),
    (Community { members: 100_000.0, domains: 10.0 }, None),
    (Community { members: 1_000_000.0, domains: 100.0 }, Some(100.0)),
    (Community { members: 10_000_000.0, domains: 1_000.0 }, None),
];
/// Reads may grow by so much more than aliases do.
const MORE_READS: f64 = 1.1;

/// How it is told.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// JSON in the place of a table
    #[arg(long)]
    json: bool,
}

/// Measures each kind of operation, and reckons a month of each size.
pub(crate) async fn growth(options: &Options) -> Result<()> {
    tools::install()?;
    membermail_localstack::install()?;
    mailbox::install()?;
    let programs: Vec<_> = NAMES.into_iter().chain(["stand-ins"]).collect();
    build(&programs, Profile::Dev)?;
    let mut cargo = std::process::Command::new("cargo");
    cargo.current_dir(workspace());
    said(cargo.args(["build", "--package", "membermail-sync", "--example", "measure"]))?;
    let text = std::fs::read_to_string(workspace().join("template.yaml")).context("reading template.yaml")?;
    let template = Template::parse(&text)?;
    let ubuntu = membermail_communities::community("ubuntu")?;
    let measured = measure::measure(&template, ubuntu.domains.len()).await?;
    let month = |community| Month::of(community, &template, &ubuntu.rules, &measured);
    let months: Vec<_> = SIZES.iter().map(|(community, _)| month(*community)).collect::<Result<_>>()?;
    let missed = missed(&measured, &months);
    let value = json(&measured, &months, &missed);
    report(options.json.then_some(&value), &table(&months), &missed)
}

fn missed(measured: &Measured, months: &[Month]) -> Vec<String> {
    let mut missed: Vec<_> = measured.missed.iter().map(|why| format!("not linear: {why}")).collect();
    for (month, (community, most)) in months.iter().zip(SIZES) {
        let (_, dollars) = month.bill();
        if let Some(most) = most.filter(|most| dollars > *most) {
            missed
                .push(format!("${dollars:.2} a month at {} members, and at most ${most} is wanted", community.members));
        }
    }
    for pair in months.windows(2).skip(1) {
        let [small, large] = pair else { continue };
        let grown = |of: fn(&Month) -> f64| of(large) / of(small);
        let (reads, aliases) = (grown(|month| month.usage.get("read units")), grown(|month| month.community.members));
        if reads > aliases * MORE_READS {
            missed.push(format!("reads grow {reads:.1} times where aliases grow {aliases:.1} times"));
        }
    }
    missed
}

fn table(months: &[Month]) -> Vec<Vec<String>> {
    let row = |name: &str, cell: &dyn Fn(&Month) -> String| {
        std::iter::once(name.to_owned()).chain(months.iter().map(cell)).collect::<Vec<_>>()
    };
    let mut table = vec![
        row("a month", &|month| format!("{} members", whole(month.community.members))),
        row("domains", &|month| whole(month.community.domains)),
    ];
    for price in &PRICES {
        table.push(row(price.what, &|month| amount(price.unit, month.usage.get(price.unit))));
    }
    table.push(row("slots of sync-team in use", &|month| format!("{:.0}%", month.busy * 100.0)));
    table.push(row("hours between a domain's runs", &|month| format!("{:.1}", month.hours_between_runs)));
    let services: Vec<_> = months.first().map(|month| month.bill().0).unwrap_or_default();
    for (at, (service, _)) in services.iter().enumerate() {
        let dollars = |month: &Month| month.bill().0.get(at).map_or(0.0, |(_, dollars)| *dollars);
        table.push(row(&format!("$ {service}"), &|month| format!("{:.2}", dollars(month))));
    }
    table.push(row("**$ a month**", &|month| format!("**{:.2}**", month.bill().1)));
    table
}

/// Bytes as MB; small numbers with a digit.
fn amount(unit: &str, amount: f64) -> String {
    if unit.contains("bytes") {
        return format!("{} MB", whole((amount / 1e6).ceil()));
    }
    if amount < 10.0 && amount.fract() > 0.0 { format!("{amount:.2}") } else { whole(amount.round()) }
}

/// With commas.
fn whole(number: f64) -> String {
    let digits = format!("{number:.0}");
    let groups: Vec<_> = digits.as_bytes().rchunks(3).rev().map(|group| String::from_utf8_lossy(group)).collect();
    groups.join(",")
}

fn json(measured: &Measured, months: &[Month], missed: &[String]) -> Value {
    let usage = |usage: &usage::Usage| json!(usage.0);
    let line = |line: &usage::Line| json!({ "base": usage(&line.base), "each_alias": usage(&line.each) });
    let months: Vec<_> = months
        .iter()
        .map(|month| {
            let (services, sum) = month.bill();
            let services: serde_json::Map<_, _> =
                services.into_iter().map(|(name, dollars)| (name.to_owned(), json!(rounded(dollars)))).collect();
            json!({
                "members": month.community.members, "domains": month.community.domains, "usage": usage(&month.usage),
                "dollars": services, "dollars_a_month": rounded(sum), "slots_in_use": rounded(month.busy),
                "hours_between_runs": rounded(month.hours_between_runs),
            })
        })
        .collect();
    json!({
        "prices": { "region": "us-east-1", "date": DATE, "read_at": READ.map(|(service, page)| json!({ service: page })) },
        "operations": {
            "full_run": line(&measured.full_run), "quiet_run": line(&measured.quiet_run),
            "checkpoints": line(&measured.checkpoints), "rolling_check_of_a_member": usage(&measured.rolling),
            "step_of_a_leaver": usage(&measured.leave), "digest": usage(&measured.digest),
            "first_sign_in": usage(&measured.first_sign_in), "sign_in": usage(&measured.sign_in),
            "page": usage(&measured.page), "start_sync_of_a_domain": usage(&measured.start_sync),
            "check_of_a_domain": usage(&measured.check_domain), "mail": usage(&measured.mail),
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
