//! The alias-map daemon: serves until SIGTERM and reloads its settings on SIGHUP.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use aws_config::{BehaviorVersion, SdkConfig, retry::RetryConfig, timeout::TimeoutConfig};
use clap::Parser;
use membermail_alias_map::lookups::Lookups;
use membermail_alias_map::server::{Listener, Server};
use membermail_alias_map::settings::{MasterSecretSource, Settings};
use membermail_alias_map::table::{KeySource, Table};
use membermail_communities::community;
use membermail_core::address::DomainName;
use membermail_core::clock::SystemClock;
use membermail_core::master::MasterKeys;
use membermail_core::random::OsRandom;
use membermail_runtime::secret::MasterSecret;
use membermail_store::Store;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder};
use tokio::signal::unix::{SignalKind, signal};
use zeroize::Zeroizing;

/// Serves the alias maps of Membermail to Postfix
#[derive(Parser)]
#[command(name = "membermail-alias-map")]
struct Arguments {
    /// The settings file
    #[arg(long, default_value = "/etc/membermail/alias-map.toml")]
    config: PathBuf,
    /// Check the settings and exit
    #[arg(long)]
    check: bool,
}

/// Timeout of a graceful shutdown.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(5);
// In a release build, a panic in one connection would end the server.
const _: () = assert!(cfg!(panic = "unwind"), "build alias-map with `--profile host`");

#[tokio::main]
async fn main() -> Result<()> {
    membermail_runtime::logs::init();
    // Installed first: without a handler, a reload during startup would end the process.
    let mut hangup = signal(SignalKind::hangup())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let arguments = Arguments::parse();
    let settings = read_settings(&arguments.config)?;
    if arguments.check {
        println!("The settings are valid.");
        return Ok(());
    }
    if let Some(address) = settings.metrics {
        let seconds = Matcher::Suffix("_seconds".to_owned());
        let buckets = [0.000_1, 0.000_25, 0.001, 0.005, 0.025, 0.1, 0.5, 1.0, 2.0, 3.0];
        let metrics = PrometheusBuilder::new().with_http_listener(address);
        metrics.set_buckets_for_metric(seconds, &buckets)?.install().context("starting the metrics endpoint")?;
    }
    let table = Arc::new(open_table(&settings).await?);
    let lookups = Arc::new(Lookups::new(table, domains(&settings)?, &settings, Arc::new(SystemClock)));
    let server = Server::new(Arc::clone(&lookups), settings.connections);
    for endpoint in &settings.listen {
        let listener = Listener::bind(endpoint).await.with_context(|| format!("listening at {endpoint}"))?;
        tracing::info!(endpoint = %listener.endpoint()?, "listening");
        server.listen(listener);
    }
    let initial = Arc::clone(&lookups);
    tokio::spawn(async move {
        while initial.list_domains().await.is_err() {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    });
    let mut tick = tokio::time::interval(Duration::from_secs(10));
    loop {
        tokio::select! {
            _ = hangup.recv() => match read_settings(&arguments.config) {
                Ok(settings) => {
                    lookups.reload(&settings);
                    tracing::info!("settings reloaded");
                }
                Err(error) => tracing::error!(%error, "reload failed, keeping the old settings"),
            },
            _ = tick.tick() => {
                let refresh = Arc::clone(&lookups);
                // In a task, because a slow table must not delay signals. The cache logs errors.
                tokio::spawn(async move { refresh.list_domains().await.is_ok() });
                let (entries, bytes) = lookups.cache_size().await;
                metrics::gauge!("membermail_alias_map_cache_entries").set(entries as f64);
                metrics::gauge!("membermail_alias_map_cache_bytes").set(bytes as f64);
            }
            _ = terminate.recv() => break,
            _ = interrupt.recv() => break,
        }
    }
    tracing::info!("stopping");
    server.stop(SHUTDOWN_TIMEOUT).await;
    Ok(())
}

/// Reads the settings and checks them against the community.
fn read_settings(config: &Path) -> Result<Settings> {
    let settings = Settings::read(config)?;
    settings.check_names(&domains(&settings)?).map_err(anyhow::Error::msg)?;
    Ok(settings)
}

fn domains(settings: &Settings) -> Result<Vec<DomainName>> {
    Ok(community(&settings.community)?.domain_names().cloned().collect())
}

async fn open_table(settings: &Settings) -> Result<Table> {
    let aws = sdk_config().await;
    let keys = match &settings.master_secret {
        MasterSecretSource::Arn(arn) => {
            KeySource::SecretsManager(MasterSecret::new(aws_sdk_secretsmanager::Client::new(&aws), arn.clone()))
        }
        MasterSecretSource::File(path) => {
            let text = std::fs::read(path).with_context(|| format!("reading {}", path.display()))?;
            let text = Zeroizing::new(text);
            // During a key rotation the second line is the previous secret.
            let mut lines = text.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty());
            let mut key = || lines.next().map(|line| Zeroizing::new(line.to_vec()));
            let current = key().unwrap_or_default();
            let previous = key();
            let is_long_enough = current.len() >= 32 && previous.as_ref().is_none_or(|line| line.len() >= 32);
            ensure!(is_long_enough, "each secret in {} must have at least 32 characters", path.display());
            KeySource::File(MasterKeys::new(current, previous))
        }
    };
    let store = Store::new(aws_sdk_dynamodb::Client::new(&aws), &settings.table);
    Ok(Table::new(store, keys, community(&settings.community)?, Arc::new(OsRandom)))
}

/// Timeouts that leave time for a reply to Postfix.
async fn sdk_config() -> SdkConfig {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_millis(800))
        .operation_attempt_timeout(Duration::from_millis(1_000))
        .operation_timeout(Duration::from_millis(1_900))
        .build();
    let config = aws_config::defaults(BehaviorVersion::v2026_01_12());
    config.timeout_config(timeouts).retry_config(RetryConfig::standard().with_max_attempts(2)).load().await
}
