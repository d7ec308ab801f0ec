//! Table, fakes and processes of one team size.

use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use membermail_toolbox::net::free_port;
use membermail_toolbox::service::Service;
use membermail_toolbox::step;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::super::counting::{Counted, Counting};
use super::source::Source;
use super::{CHANGED, FIRST, RESUMED, SKIPPED, UNCHANGED};
use crate::builds::Profile;
use crate::dynamodb::{BENCHMARK_HEAP, start_dynamodb, with_dynamodb};
use crate::functions::program_of;
use crate::{fakes, site};

/// Measures all runs of one team size.
pub(super) async fn measure_size(source: Source, people: usize) -> Result<Vec<(&'static str, Value)>> {
    let state = site::empty_state("bench-sync")?;
    let dynamodb = start_dynamodb(&state, BENCHMARK_HEAP).await?;
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let table = listener.local_addr()?.port();
    let counting = Counting::start(listener, &dynamodb.url())?;
    let fakes = fakes::start_with_people(free_port()?, &source.fakes(people), &state, Profile::Release).await?;
    let world = World { source, fakes, table, direct: dynamodb.port, counting };
    world.measure("fill", world.direct).await?;
    let first = world.run("run", false).await?;
    let unchanged = world.run("run", false).await?;
    let skipped = world.run("skip", false).await?;
    let resumed = world.run("run", true).await?;
    world.change(people / 100).await?;
    let changed = world.run("run", false).await?;
    Ok(vec![(FIRST, first), (UNCHANGED, unchanged), (SKIPPED, skipped), (RESUMED, resumed), (CHANGED, changed)])
}

struct World {
    source: Source,
    fakes: Service,
    /// Port of the counting proxy.
    table: u16,
    /// Port of DynamoDB Local.
    direct: u16,
    counting: Counting,
}

impl World {
    /// Measures one sync in its own process. With `is_interrupted`, a first process is aborted and the second, which
    /// resumes the run, is measured.
    async fn run(&self, what: &str, is_interrupted: bool) -> Result<Value> {
        let client = reqwest::Client::builder().no_proxy().build()?;
        let counts = format!("{}/control/counts", self.fakes.url);
        let rows = self.source.rows(&client, &self.fakes.url).await?;
        client.delete(&counts).send().await?.error_for_status()?;
        self.counting.reset();
        if is_interrupted {
            self.interrupt((rows.div_ceil(self.source.page()) / 2).max(1)).await?;
        }
        let mut figures = self.measure(what, self.table).await?;
        let Counted { calls, mut items, queries } = self.counting.reset();
        let reads: u64 = ["GetItem", "BatchGetItem", "Query"]
            .iter()
            .filter_map(|operation| calls.get(&format!("dynamodb.{operation}")))
            .sum();
        let requests: Value = client.get(&counts).send().await?.json().await?;
        (figures["requests"], figures["max_in_flight"]) = self.source.counted(&requests);
        figures["reads"] = json!(reads);
        figures["domain_readings"] = json!(queries.get("DOMAIN/ALIAS"));
        // Count the run with its lease, and the observations and cursor of the rolling check, separately.
        for kind in ["SYNC/RUN", "SYNC/LEASE"] {
            items.remove(kind);
        }
        for (name, kind) in [("observations", "MEMBER/PROFILE"), ("names", "NAME/-"), ("cursors", "SYNC/STATE")] {
            figures[name] = json!(items.remove(kind).unwrap_or_default());
        }
        // The remaining keys belong to items.
        figures["item_writes"] = json!(items.values().sum::<u64>());
        figures["items"] = json!(items);
        figures["rows"] = json!(rows);
        Ok(figures)
    }

    /// Runs a sync that aborts after this many pages.
    async fn interrupt(&self, pages: u64) -> Result<()> {
        let mut command = tokio::process::Command::from(self.program("run", self.table));
        command.args(["--stop-after", &pages.to_string()]).stderr(Stdio::null()).stdout(Stdio::null());
        let status = command.status().await?;
        ensure!(status.signal().is_some(), "the sync was not aborted, but exited with {status}");
        Ok(())
    }

    /// Runs shared/sync/examples/measure.rs.
    async fn measure(&self, task: &str, table: u16) -> Result<Value> {
        let mut command = self.program(task, table);
        let task = task.to_owned();
        // `spawn_blocking`, because the counting proxy runs in this process.
        let text = tokio::task::spawn_blocking(move || step::run(&task, &mut command)).await??;
        serde_json::from_str(text.lines().last().unwrap_or_default()).with_context(|| text.clone())
    }

    fn program(&self, task: &str, table: u16) -> Command {
        let mut command = with_dynamodb(program_of("examples/measure", Profile::Release), table);
        command.args([task, self.source.argument(), "--root", &self.fakes.url]);
        command
    }

    /// Changes `count` people: half of them leave, the others are renamed.
    async fn change(&self, count: usize) -> Result<()> {
        let client = reqwest::Client::builder().no_proxy().build()?;
        self.source.change(&client, &self.fakes.url, count).await
    }
}
