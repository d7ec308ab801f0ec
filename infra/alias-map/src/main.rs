//! The program: reads the settings, makes clients once, serves until SIGTERM, reads the settings again at SIGHUP.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use aws_config::{BehaviorVersion, SdkConfig, retry::RetryConfig, timeout::TimeoutConfig};
use clap::Parser;
use membermail_alias_map::lookups::Lookups;
use membermail_alias_map::server::{Listener, Server};
use membermail_alias_map::settings::{MasterSecretAt, Settings};
use membermail_alias_map::table::{Secret, Table};
use membermail_communities::community;
use membermail_core::address::DomainName;
use membermail_core::master::MasterKeys;
use membermail_runtime::secret::MasterSecret;
use membermail_store::Store;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder};
use tokio::signal::unix::{SignalKind, signal};
use zeroize::Zeroizing;

/// Tells Postfix where mail to a member goes.
#[derive(Parser)]
#[command(name = "membermail-alias-map")]
struct Arguments {
    /// The settings
    #[arg(long, default_value = "/etc/membermail/alias-map.toml")]
    config: PathBuf,
    /// Only say whether the settings can be used
    #[arg(long)]
    check: bool,
}

/// Look-ups under way at a stop get their answers within this.
const STOP: Duration = Duration::from_secs(5);

#[tokio::main]
async fn main() -> Result<()> {
    membermail_runtime::logs::init();
    // Before anything else: a reload that comes while it starts is one for later, and not its end.
    let (mut hangup, mut terminate, mut interrupt) =
        (signal(SignalKind::hangup())?, signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let arguments = Arguments::parse();
    let settings = read(&arguments.config)?;
    if arguments.check {
        println!("the settings are good");
        return Ok(());
    }
    if let Some(address) = settings.metrics {
        let seconds = Matcher::Suffix("_seconds".to_owned());
        let buckets = [0.000_1, 0.000_25, 0.001, 0.005, 0.025, 0.1, 0.5, 1.0, 2.0, 3.0];
        let metrics = PrometheusBuilder::new().with_http_listener(address);
        metrics.set_buckets_for_metric(seconds, &buckets)?.install().context("the metrics endpoint")?;
    }
    let table = Arc::new(table(&settings).await?);
    let lookups = Arc::new(Lookups::new(table, domains(&settings)?, &settings));
    let server = Server::new(Arc::clone(&lookups), settings.connections);
    for endpoint in &settings.listen {
        let listener = Listener::bind(endpoint).await.with_context(|| format!("listening at {endpoint}"))?;
        tracing::info!(endpoint = %listener.endpoint()?, "listening");
        server.listen(listener);
    }
    let starting = Arc::clone(&lookups);
    tokio::spawn(async move {
        while starting.list_domains().await.is_err() {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    });
    let mut tick = tokio::time::interval(Duration::from_secs(10));
    loop {
        tokio::select! {
            _ = hangup.recv() => match read(&arguments.config) {
                Ok(settings) => {
                    lookups.reload(&settings);
                    tracing::info!("settings read again");
                }
                Err(error) => tracing::error!(%error, "the settings stay as they were"),
            },
            _ = tick.tick() => {
                let asking = Arc::clone(&lookups);
                // A table that is silent must not hold up a signal. The cache has said what was wrong.
                tokio::spawn(async move { asking.list_domains().await.is_ok() });
                let (entries, octets) = lookups.cache_size().await;
                metrics::gauge!("membermail_alias_map_cache_entries").set(entries as f64);
                metrics::gauge!("membermail_alias_map_cache_bytes").set(octets as f64);
            }
            _ = terminate.recv() => break,
            _ = interrupt.recv() => break,
        }
    }
    tracing::info!("stopping");
    server.stop(STOP).await;
    Ok(())
}

/// The settings, with what the file alone cannot tell checked too.
fn read(config: &Path) -> Result<Settings> {
    let settings = Settings::read(config)?;
    settings.check_operators(&domains(&settings)?).map_err(anyhow::Error::msg)?;
    Ok(settings)
}

fn domains(settings: &Settings) -> Result<Vec<DomainName>> {
    Ok(community(&settings.community)?.domain_names().cloned().collect())
}

/// The table and the secret, with clients that give up in time for an answer to Postfix.
async fn table(settings: &Settings) -> Result<Table> {
    let aws = aws().await;
    let secret = match &settings.master_secret {
        MasterSecretAt::Arn(arn) => {
            Secret::Manager(MasterSecret::new(aws_sdk_secretsmanager::Client::new(&aws), arn.clone()))
        }
        MasterSecretAt::File(path) => {
            let text = std::fs::read(path).with_context(|| format!("reading {}", path.display()))?;
            let text = Zeroizing::new(text);
            // A second line is the secret before it, while that is being changed.
            let mut lines = text.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty());
            let mut key = || lines.next().map(|line| Zeroizing::new(line.to_vec()));
            let (current, previous) = (key().unwrap_or_default(), key());
            let long = current.len() >= 32 && previous.as_ref().is_none_or(|line| line.len() >= 32);
            ensure!(long, "a line of {} has fewer than 32 characters", path.display());
            Secret::Keys(MasterKeys::new(current, previous))
        }
    };
    let store = Store::new(aws_sdk_dynamodb::Client::new(&aws), &settings.table);
    Ok(Table::new(store, secret, community(&settings.community)?))
}

async fn aws() -> SdkConfig {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_millis(800))
        .operation_attempt_timeout(Duration::from_millis(1_000))
        .operation_timeout(Duration::from_millis(1_900))
        .build();
    let config = aws_config::defaults(BehaviorVersion::v2026_01_12());
    config.timeout_config(timeouts).retry_config(RetryConfig::standard().with_max_attempts(2)).load().await
}
