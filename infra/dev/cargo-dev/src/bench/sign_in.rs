//! `cargo dev bench sign-in`: the time from the callback to the alias in the table, and the cost of a sign-in.
//! docs/benchmarks.md describes the measurement.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use membermail_core::address::Address;
use membermail_store::Store;
use membermail_toolbox::net::{free_port, http_client};
use membermail_toolbox::process::Process;
use reqwest::Url;
use reqwest::header::{COOKIE, SET_COOKIE};
use serde_json::json;
use tokio::net::TcpListener;

use super::browser::location;
use super::callbacks::{Compared, compare};
use super::community::{Community, Requests};
use super::counting::{Counting, Counts};
use super::figures::{Spread, float, rounded};
use super::report;
use crate::builds::Profile;
use crate::emulator::{self, Emulator};
use crate::site::{self, Site};

/// People of the fakes that this benchmark uses.
const PEOPLE: u32 = 40;
/// Target: AWS calls per sign-in with one address.
const MAX_CALLS: f64 = 15.0;
/// Target: direct requests to the sign-in provider per sign-in, without its cached metadata and keys.
const MAX_PROVIDER_REQUESTS: f64 = 1.0;
/// Seconds that changes are collected for a digest: the template's default.
const DIGEST_SECONDS: u16 = 120;
const ALIAS_TIMEOUT: Duration = Duration::from_secs(60);
/// Longer than the emulator takes from one queue to the next, and shorter than [`DIGEST_SECONDS`].
const QUIET: Duration = Duration::from_secs(5);

/// Options of `cargo dev bench sign-in`.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Sequential sign-ins
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=i64::from(PEOPLE - 1)))]
    people: u32,
    /// Community: its sign-in provider and membership source
    #[arg(long, value_enum, default_value_t)]
    community: Community,
    /// Callbacks that are measured alone
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..))]
    callbacks: u32,
    /// Print JSON instead of a table
    #[arg(long)]
    json: bool,
    /// AWS emulator
    #[arg(long, value_enum, default_value_t, env = emulator::VARIABLE)]
    emulator: Emulator,
}

/// The figures of all sign-ins.
struct Measured {
    /// Milliseconds from the callback to the alias, per sign-in.
    until_alias: Vec<f64>,
    /// Milliseconds from the callback to its response, per sign-in.
    until_response: Vec<f64>,
    calls: Counts,
    requests: Requests,
    /// CPU milliseconds of all functions.
    cpu: f64,
}

/// Deploys release builds and measures sign-ins.
pub(crate) async fn sign_in(options: &Options) -> Result<()> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let functions_endpoint = Some(format!("http://{}", listener.local_addr()?));
    let emulator_port = free_port()?;
    let counting = Counting::start(listener, &format!("http://127.0.0.1:{emulator_port}"))?;
    let site_options = site::Options {
        emulator_port,
        functions_endpoint,
        profile: Profile::Release,
        digest_seconds: DIGEST_SECONDS,
        community: options.community.id().to_owned(),
        ..site::Options::named("bench", options.emulator)
    };
    let site = Site::start(&site_options).await?;
    let measured = measure(&site, &counting, options).await;
    let fakes = site.fakes.url.parse()?;
    let folder = site::state("bench-callbacks");
    let compared = compare(options.community, &fakes, options.callbacks, &folder, Profile::Release).await;
    site.stop()?;
    print_report(options, &measured?, &compared?)
}

async fn measure(site: &Site, counting: &Counting, options: &Options) -> Result<Measured> {
    let visitor = Visitor::new(site, options.community)?;
    let store = site.store().await?;
    // The first sign-in starts every function and is not measured.
    visitor.sign_in(&store, "pat40").await?;
    // Its notice, which starts `notify`, must not count for the next sign-in.
    counting.wait_for_quiet(QUIET).await;
    let mut until_alias = Vec::new();
    let mut until_response = Vec::new();
    counting.reset();
    let cpu = cpu_time(&site.emulator.process)?;
    let before = visitor.requests().await?;
    for person in 1..=options.people {
        let name = format!("pat{person:02}");
        let (response, alias) = visitor.sign_in(&store, &name).await.with_context(|| name.clone())?;
        until_response.push(response);
        until_alias.push(alias);
    }
    counting.wait_for_quiet(QUIET).await;
    Ok(Measured {
        until_alias,
        until_response,
        calls: counting.reset().calls,
        requests: visitor.requests().await? - before,
        cpu: cpu_time(&site.emulator.process)? - cpu,
    })
}

/// A browser that signs in over HTTP.
struct Visitor {
    community: Community,
    client: reqwest::Client,
    site: Url,
    fakes: Url,
}

impl Visitor {
    fn new(site: &Site, community: Community) -> Result<Self> {
        Ok(Self { community, client: http_client()?, site: site.url.parse()?, fakes: site.fakes.url.parse()? })
    }

    /// Signs in and waits for the alias. Returns the milliseconds from the callback to its response and to the alias.
    async fn sign_in(&self, store: &Store, name: &str) -> Result<(f64, f64)> {
        self.community.prepare(&self.client, &self.fakes, name).await?;
        let address = Address::try_from(format!("{name}@{}", self.community.domain()))?;
        let redirect = self.client.get(self.site.join("sign-in")?).send().await?;
        let cookie = redirect.headers().get(SET_COOKIE).context("no cookie")?.to_str()?;
        let cookie = cookie.split(';').next().unwrap_or_default().to_owned();
        let away = location(&redirect)?;
        let callback = self.community.choose_person(&self.client, &self.fakes, name, &away).await?;

        let started = Instant::now();
        let response = self.client.get(callback).header(COOKIE, cookie).send().await?;
        let until_response = milliseconds_since(started);
        ensure!(response.status() == 303, "the callback returned {}", response.status());
        while store.alias(&address).await?.is_none() {
            if started.elapsed() > ALIAS_TIMEOUT {
                bail!("no alias after {ALIAS_TIMEOUT:?}");
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Ok((until_response, milliseconds_since(started)))
    }

    async fn requests(&self) -> Result<Requests> {
        self.community.requests(&self.client, &self.fakes).await
    }
}

fn milliseconds_since(started: Instant) -> f64 {
    started.elapsed().as_secs_f64() * 1000.0
}

/// CPU milliseconds of all functions: the descendants of the emulator named `bootstrap`.
fn cpu_time(emulator: &Process) -> Result<f64> {
    let functions =
        emulator.with_descendants().into_iter().filter(|process| process.name().as_deref() == Some("bootstrap"));
    functions.map(|process| process.cpu_time().map(|time| time.as_secs_f64() * 1000.0)).sum()
}

fn print_report(options: &Options, measured: &Measured, compared: &Compared) -> Result<()> {
    let people = f64::from(options.people);
    let alias = Spread::of(measured.until_alias.iter().copied());
    let response = Spread::of(measured.until_response.iter().copied());
    let calls: BTreeMap<_, _> = measured.calls.iter().map(|(call, count)| (call, float(*count) / people)).collect();
    let all_calls = calls.values().sum();
    let requests = measured.requests;
    let [provider, source] = [requests.provider, requests.source].map(|count| float(count) / people);
    let cpu = measured.cpu / people;
    let source_name = options.community.source();
    let mut table = vec![
        row("a sign-in", "figure".to_owned()),
        row("callback to its response, p50 / p90", format!("{:.0} / {:.0} ms", response.p50, response.p90)),
        row("callback to the alias in the table, p50 / p90", format!("{:.0} / {:.0} ms", alias.p50, alias.p90)),
        row("our own CPU", format!("{cpu:.1} ms")),
        row("requests to the sign-in provider", format!("{provider:.1}")),
        row("· all sign-ins: its metadata and keys", requests.metadata.to_string()),
        row(&format!("requests to {source_name} about the person"), format!("{source:.1}")),
        row("· all sign-ins: ids of groups", requests.groups.to_string()),
        row("calls to AWS", format!("{all_calls:.1}")),
    ];
    table.extend(calls.iter().map(|(call, count)| row(&format!("· {call}"), format!("{count:.1}"))));
    table.extend(compared.rows());
    let missed = missed(options.community, all_calls, [provider, source], compared);
    let calls: BTreeMap<_, _> = calls.iter().map(|(call, count)| (call, rounded(*count))).collect();
    let value = json!({
        "community": options.community.id(),
        "people": options.people,
        "callback_to_response_ms": response.json(),
        "callback_to_alias_ms": alias.json(),
        "cpu_ms": rounded(cpu),
        "provider_requests": rounded(provider),
        "metadata_requests": requests.metadata,
        "source_requests": rounded(source),
        "group_requests": requests.groups,
        "aws_calls": rounded(all_calls),
        "aws_calls_by_operation": calls,
        "callback": compared.json(),
        "missed": missed,
    });
    report(options.json.then_some(&value), &table, &missed)
}

fn row(name: &str, figure: String) -> Vec<String> {
    vec![name.to_owned(), figure]
}

fn missed(community: Community, calls: f64, [provider, source]: [f64; 2], compared: &Compared) -> Vec<String> {
    let targets = [
        ("calls to AWS".to_owned(), calls, MAX_CALLS),
        ("requests to the sign-in provider".to_owned(), provider, MAX_PROVIDER_REQUESTS),
        (format!("requests to {}", community.source()), source, community.source_requests()),
    ];
    let exceeded = targets.into_iter().filter(|(_, value, target)| value > target);
    let exceeded = exceeded.map(|(figure, value, target)| format!("{value:.2} {figure} per sign-in, maximum {target}"));
    exceeded.chain(compared.missed()).collect()
}

#[cfg(test)]
mod tests {
    use super::super::callbacks::Side;
    use super::*;

    #[rstest::rstest]
    #[case::all_met(15.0, 1.0, 2.0, 1.0, 0)]
    #[case::calls(15.05, 1.0, 2.0, 1.0, 1)]
    #[case::provider(15.0, 1.1, 2.0, 1.0, 1)]
    #[case::source(15.0, 1.0, 2.1, 1.0, 1)]
    #[case::callback(15.0, 1.0, 2.0, 2.0, 1)]
    fn missed_targets_are_reported(
        #[case] calls: f64,
        #[case] provider: f64,
        #[case] source: f64,
        #[case] verification: f64,
        #[case] count: usize,
    ) {
        let passport = Side { milliseconds: 10.0, cpu: 10.0, peak: 9.0 };
        let verification = Side { cpu: verification, ..passport };
        let compared = Compared { verification, sso: passport, passport: Some(passport) };
        assert_eq!(missed(Community::Ubuntu, calls, [provider, source], &compared).len(), count);
    }

    #[test]
    fn communities_have_their_own_targets() {
        let side = Side { milliseconds: 10.0, cpu: 10.0, peak: 9.0 };
        let compared = Compared { verification: side, sso: side, passport: None };
        assert_eq!(missed(Community::Example, 15.0, [1.0, 3.0], &compared), [""; 0]);
        assert_eq!(missed(Community::Example, 15.0, [1.0, 3.1], &compared).len(), 1);
    }
}
