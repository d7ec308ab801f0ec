//! `cargo dev bench sign-in`: from the browser's return to the alias in the table, and what one sign-in costs.
//! docs/benchmarks.md says what is measured and why so.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use membermail_core::address::Address;
use membermail_store::Store;
use membermail_toolbox::process::Process;
use reqwest::Url;
use reqwest::header::{COOKIE, LOCATION, SET_COOKIE};
use reqwest::redirect::Policy;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::callbacks::{Compared, compare};
use super::counting::{Counting, Counts};
use super::figures::{Spread, rounded, spread};
use super::report;
use crate::emulator::{self, Emulator};
use crate::functions::Profile;
use crate::site::{self, Site};

/// The stand-ins have this many people for trying things, each a member of ubuntu.com.
const PEOPLE: u32 = 40;
/// What a sign-in with one address may cost.
const CALLS: f64 = 15.0;
const LAUNCHPAD: f64 = 2.0;
/// Seconds that changes are gathered for a digest, as the template has it by default.
const DIGEST: u16 = 120;
/// Nobody waits longer for an address.
const PATIENCE: Duration = Duration::from_secs(60);

/// How much, and how it is told.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// People who sign in, one after another
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=i64::from(PEOPLE - 1)))]
    people: u32,
    /// Callbacks that sso and passport-ubuntu are compared by
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..))]
    callbacks: u32,
    /// JSON in the place of a table
    #[arg(long)]
    json: bool,
    /// What stands for AWS
    #[arg(long, value_enum, default_value_t, env = emulator::VARIABLE)]
    emulator: Emulator,
}

/// What all sign-ins together came to.
struct Measured {
    /// Milliseconds from the callback to the alias, one a person.
    until_alias: Vec<f64>,
    /// Milliseconds until the callback itself is answered.
    until_answer: Vec<f64>,
    calls: Counts,
    launchpad: u64,
    /// Milliseconds of processor time of all function processes.
    cpu: f64,
}

/// Deploys release builds, lets people sign in, and tells what it took.
pub(crate) async fn sign_in(options: &Options) -> Result<()> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let seen_by_functions = Some(format!("http://{}", listener.local_addr()?));
    let emulator_port = emulator::free_port()?;
    let counting = Counting::start(listener, &format!("http://127.0.0.1:{emulator_port}"))?;
    let usual = site::Options::named("bench", options.emulator);
    let wanted =
        site::Options { emulator_port, seen_by_functions, profile: Profile::Release, digest_seconds: DIGEST, ..usual };
    let site = Site::start(&wanted).await?;
    let measured = measure(&site, &counting, options.people).await;
    let stand_ins = site.stand_ins.url.parse()?;
    let compared = compare(&stand_ins, options.callbacks, &site::state("bench-callbacks"), Profile::Release).await;
    site.stop()?;
    tell(options, &measured?, &compared?)
}

async fn measure(site: &Site, counting: &Counting, people: u32) -> Result<Measured> {
    let visitor = Visitor::new(site)?;
    let store = site.store().await?;
    // The first one starts every function, and is not measured.
    visitor.sign_in(&store, "pat40").await?;
    // What the last function has to say after its write must not fall on the next person.
    tokio::time::sleep(Duration::from_millis(500)).await;
    let (mut until_alias, mut until_answer) = (Vec::new(), Vec::new());
    counting.take();
    let (cpu, launchpad) = (processor_time(&site.emulator.process)?, visitor.launchpad_requests().await?);
    for person in 1..=people {
        let name = format!("pat{person:02}");
        let (answer, alias) = visitor.sign_in(&store, &name).await.with_context(|| name.clone())?;
        until_answer.push(answer);
        until_alias.push(alias);
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    Ok(Measured {
        until_alias,
        until_answer,
        calls: counting.take(),
        launchpad: visitor.launchpad_requests().await? - launchpad,
        cpu: processor_time(&site.emulator.process)? - cpu,
    })
}

/// A browser as far as a sign-in goes.
struct Visitor {
    client: reqwest::Client,
    site: Url,
    stand_ins: Url,
}

impl Visitor {
    fn new(site: &Site) -> Result<Self> {
        let client = reqwest::Client::builder().redirect(Policy::none()).no_proxy().build()?;
        Ok(Self { client, site: site.url.parse()?, stand_ins: site.stand_ins.url.parse()? })
    }

    /// Signs in and waits for the address; the milliseconds from the callback to its answer and to the alias.
    async fn sign_in(&self, store: &Store, name: &str) -> Result<(f64, f64)> {
        let address = Address::try_from(format!("{name}@ubuntu.com"))?;
        let away = self.client.get(self.site.join("sign-in")?).send().await?;
        let cookie = away.headers().get(SET_COOKIE).context("no cookie")?.to_str()?;
        let cookie = cookie.split(';').next().unwrap_or_default().to_owned();
        let request = location(&away)?;
        let mut choose = self.stand_ins.join("+openid/sign-in-as")?;
        choose.query_pairs_mut().append_pair("name", name).extend_pairs(request.query_pairs());
        let callback = location(&self.client.get(choose).send().await?)?;

        let begin = Instant::now();
        let milliseconds = || begin.elapsed().as_secs_f64() * 1000.0;
        let home = self.client.get(callback).header(COOKIE, cookie).send().await?;
        let answered = milliseconds();
        ensure!(home.status() == 303, "the callback was answered by {}", home.status());
        while store.alias(&address).await?.is_none() {
            if begin.elapsed() > PATIENCE {
                bail!("no alias after {PATIENCE:?}");
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Ok((answered, milliseconds()))
    }

    async fn launchpad_requests(&self) -> Result<u64> {
        let counts = self.client.get(self.stand_ins.join("control/counts")?).send().await?;
        counts.json::<Value>().await?["launchpad"].as_u64().context("no count")
    }
}

fn location(answer: &reqwest::Response) -> Result<Url> {
    let location = answer.headers().get(LOCATION).with_context(|| format!("no redirect but {}", answer.status()))?;
    Ok(location.to_str()?.parse()?)
}

/// Milliseconds that the processes of functions have run for; they descend from the emulator and are `bootstrap`s.
fn processor_time(emulator: &Process) -> Result<f64> {
    let functions = emulator.family().into_iter().filter(|process| process.name().as_deref() == Some("bootstrap"));
    functions.map(|process| process.processor_time().map(|time| time.as_secs_f64() * 1000.0)).sum()
}

fn tell(options: &Options, measured: &Measured, compared: &Compared) -> Result<()> {
    let Measured { until_alias, until_answer, calls, launchpad, cpu } = measured;
    let a_person = |count: u64| u32::try_from(count).map_or(f64::MAX, f64::from) / f64::from(options.people);
    let (alias, answer) = (spread(until_alias.clone()), spread(until_answer.clone()));
    let all_calls = a_person(calls.values().sum());
    let (launchpad, cpu) = (a_person(*launchpad), cpu / f64::from(options.people));
    let row = |what: &str, figure: String| vec![what.to_owned(), figure];
    let both = |spread: Spread| format!("{:.0} / {:.0} ms", spread.p50, spread.p90);
    let mut table = vec![
        row("a sign-in", "figure".to_owned()),
        row("callback to its answer, p50 / p90", both(answer)),
        row("callback to the alias in the table, p50 / p90", both(alias)),
        row("our own CPU", format!("{cpu:.1} ms")),
        row("requests to Launchpad", format!("{launchpad:.1}")),
        row("calls to AWS", format!("{all_calls:.1}")),
    ];
    table.extend(calls.iter().map(|(call, count)| row(&format!("· {call}"), format!("{:.1}", a_person(*count)))));
    table.extend(compared.rows());
    let missed = missed(all_calls, launchpad, compared);
    let times = |spread: Spread| json!({ "p50": rounded(spread.p50), "p90": rounded(spread.p90) });
    let calls: serde_json::Map<_, _> =
        calls.iter().map(|(call, count)| (call.clone(), json!(rounded(a_person(*count))))).collect();
    let value = json!({
        "people": options.people,
        "callback_to_answer_ms": times(answer),
        "callback_to_alias_ms": times(alias),
        "cpu_ms": rounded(cpu),
        "launchpad_requests": rounded(launchpad),
        "aws_calls": rounded(all_calls),
        "aws_calls_by_operation": calls,
        "callback": compared.json(),
        "missed": missed,
    });
    report(options.json.then_some(&value), &table, &missed)
}

fn missed(calls: f64, launchpad: f64, compared: &Compared) -> Vec<String> {
    let goals = [("calls to AWS", calls, CALLS), ("requests to Launchpad", launchpad, LAUNCHPAD)];
    let over = goals.into_iter().filter(|(_, figure, most)| figure > most);
    let over =
        over.map(|(what, figure, most)| format!("{figure:.2} {what} a sign-in, and no more than {most} are wanted"));
    over.chain(compared.missed()).collect()
}

#[cfg(test)]
mod tests {
    use super::super::callbacks::Side;
    use super::*;

    #[rstest::rstest]
    #[case::all_met(15.0, 2.0, 1.0, 0)]
    #[case::calls(15.05, 2.0, 1.0, 1)]
    #[case::launchpad(15.0, 2.1, 1.0, 1)]
    #[case::callback(15.0, 2.0, 2.0, 1)]
    fn missed_goals_are_reported(
        #[case] calls: f64,
        #[case] launchpad: f64,
        #[case] verification: f64,
        #[case] count: usize,
    ) {
        let side = |figure: f64| Side { milliseconds: figure, cpu: figure, peak: 9.0 };
        let compared = Compared { verification: side(verification), sso: side(12.0), passport: side(10.0) };
        assert_eq!(missed(calls, launchpad, &compared).len(), count);
    }
}
