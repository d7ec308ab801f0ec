//! A complete local site: emulator, stack, fakes, mail server and front.

use std::fs;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use membermail_core::audit::{Actor, Cause};
use membermail_core::clock::{Clock, SystemClock};
use membermail_core::community::Community;
use membermail_core::random::OsRandom;
use membermail_store::Store;
use membermail_test_mail_host::sink::MailSink;
use membermail_toolbox::net::free_port;
use membermail_toolbox::service::Service;
use tokio::net::TcpListener;

use crate::builds::Profile;
use crate::emulator::{Emulator, invoke_url};
use crate::front::{self, Target};
use crate::run_record::RunLock;
use crate::stack::Outputs;
use crate::{aws, emulator, fakes, functions, mailbox, secrets, source, stack, tools};

/// Default stage of the template.
const STAGE: &str = "live";

/// Options of a site.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    /// Folder of all files of the run.
    pub(crate) state: PathBuf,
    /// Port of the site; 0 for a free one.
    pub(crate) port: u16,
    /// Port of the fakes; 0 finds one.
    pub(crate) fakes: u16,
    /// Id of the community.
    pub(crate) community: String,
    /// The AWS emulator.
    pub(crate) emulator: Emulator,
    /// Whether the schedule starts syncs; tests start their own.
    pub(crate) syncs: bool,
    /// Port of the emulator; 0 for a free one.
    pub(crate) emulator_port: u16,
    /// AWS endpoint of the functions, if not the emulator itself.
    pub(crate) functions_endpoint: Option<String>,
    /// Build profile of the functions.
    pub(crate) profile: Profile,
    /// Whether event source mappings invoke the functions; `cargo dev watch` does it itself.
    pub(crate) queues: bool,
    /// Seconds that changes are collected for a digest; shorter than in production, except in benchmarks.
    pub(crate) digest_seconds: u16,
}

impl Options {
    /// Defaults for a run of this name, on free ports.
    pub(crate) fn named(name: &str, emulator: Emulator) -> Self {
        Self {
            state: state(name),
            port: 0,
            fakes: 0,
            community: "ubuntu".to_owned(),
            emulator,
            emulator_port: 0,
            functions_endpoint: None,
            profile: Profile::Dev,
            queues: true,
            syncs: false,
            digest_seconds: 5,
        }
    }
}

/// A running site; dropping it stops everything.
pub(crate) struct Site {
    /// Public URL.
    pub(crate) url: String,
    /// Outputs of the deployed stack.
    pub(crate) outputs: Outputs,
    /// The community.
    pub(crate) community: Community,
    /// The fakes of the community's services.
    pub(crate) fakes: Service,
    /// Receives the notices.
    pub(crate) mail_sink: MailSink,
    /// The AWS emulator.
    pub(crate) emulator: Service,
    // The last field: the name becomes free after everything has stopped.
    /// The lock on the name of this run.
    pub(crate) run: RunLock,
}

impl Site {
    /// Builds, starts and deploys everything, including the front.
    pub(crate) async fn start(options: &Options) -> Result<Self> {
        let (site, listener) = Self::deploy(options).await?;
        front::serve(listener, Target::Api(site.api_url()?))?;
        Ok(site)
    }

    /// Starts everything except the front, and returns the listener for it.
    pub(crate) async fn deploy(options: &Options) -> Result<(Self, TcpListener)> {
        // First lock the name: below, the files of an earlier run are removed.
        let run = RunLock::acquire(&options.state)?;
        // Then bind the port, so that a conflict fails before the build.
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port))
            .await
            .with_context(|| format!("port {} is in use: choose another with --port", options.port))?;
        let url = format!("http://localhost:{}", listener.local_addr()?.port());
        let community = membermail_communities::community(&options.community)?;
        let fakes_port = port_or_free(options.fakes)?;
        let emulator_port = port_or_free(options.emulator_port)?;
        tools::install()?;
        emulator::install(options.emulator)?;
        let code = functions::build_for_host(options.profile)?;
        // The state of an earlier run belongs to an emulator that has stopped.
        let _ = fs::remove_dir_all(&options.state);
        fs::create_dir_all(&options.state)?;
        eprintln!("  … start the AWS emulator");
        let functions_endpoint = options.functions_endpoint.clone();
        let emulator = emulator::start(options.emulator, &options.state, emulator_port, functions_endpoint).await?;
        eprintln!("  ✓ the AWS emulator listens at {}", emulator.url);
        let fakes = fakes::start(fakes_port, &options.state).await?;
        let mail_sink = mailbox::start(&options.state).await?;
        let mut parameters = vec![
            ("Community", options.community.clone()),
            ("Architecture", functions::architecture().to_owned()),
            ("PublicUrl", url.clone()),
            (source::PARAMETER, source::source()),
            ("SignInUrl", format!("{}/", fakes.url)),
            ("MembersUrl", format!("{}/", fakes.url)),
            // Shorter than in production, so that tests of failures are fast.
            ("MembersTimeoutSeconds", "5".to_owned()),
            ("MembersRetryMilliseconds", "20".to_owned()),
            ("SyncInvocationSeconds", "15".to_owned()),
            ("SyncPaceMilliseconds", "5".to_owned()),
            ("SyncLeaseSeconds", "20".to_owned()),
            // Tests sync several domains at a time and kill runs; the slot of a dead run must not delay the others.
            ("SyncSlots", "2".to_owned()),
            ("SyncEnabled", options.syncs.to_string()),
            // Local stacks make no DNS queries.
            ("DomainChecksEnabled", "false".to_owned()),
            ("StatusChecksEnabled", "false".to_owned()),
            ("QueuesEnabled", options.queues.to_string()),
            // LocalStack runs all event sources, MiniStack what a new account has.
            ("SmallQuota", (options.emulator == Emulator::Ministack).to_string()),
            ("MailSecretArn", mailbox::create_secret(&mail_sink, &emulator.url)?),
            ("DigestSeconds", options.digest_seconds.to_string()),
            ("ErrorIntervalSeconds", "30".to_owned()),
            ("DashboardEnabled", "true".to_owned()),
        ];
        if community.former_sign_in.is_some() {
            parameters.push(("FormerSignInUrl", format!("{}/", fakes.url)));
        }
        parameters.extend(secrets::create(&community, &emulator.url)?);
        let outputs = stack::create(options.emulator, &emulator.url, &options.state, &code, &parameters)?;
        emulator::complete(options.emulator, &emulator.url, stack::NAME)?;
        let site = Self { url, outputs, community, fakes, mail_sink, emulator, run };
        site.verify_domains().await?;
        Ok((site, listener))
    }

    /// An output of the stack.
    pub(crate) fn output(&self, name: &str) -> Result<&str> {
        self.outputs.get(name).map(String::as_str).with_context(|| format!("the template has no output {name}"))
    }

    /// URL of the REST API behind the front.
    pub(crate) fn api_url(&self) -> Result<String> {
        Ok(invoke_url(&self.emulator.url, self.output("ApiId")?, STAGE))
    }

    /// The table of the stack.
    pub(crate) async fn store(&self) -> Result<Store> {
        let client = aws_sdk_dynamodb::Client::new(&aws::local(&self.emulator.url).await);
        Ok(Store::new(client, self.output("TableName")?))
    }

    /// Stops the emulator, then the fakes.
    pub(crate) fn stop(mut self) -> Result<()> {
        self.emulator.stop()?;
        self.fakes.stop()
    }

    /// Marks all domains of the community as verified: there are no DNS records to check locally.
    async fn verify_domains(&self) -> Result<()> {
        let store = self.store().await?;
        let now = SystemClock.now();
        let cause = Cause { actor: Actor::Operator, by: Some("cargo dev"), request_id: "cargo-dev", now };
        for domain in self.community.domain_names() {
            store.verify_domain(domain, cause, &OsRandom).await?;
        }
        Ok(())
    }
}

fn port_or_free(port: u16) -> Result<u16> {
    if port == 0 { free_port() } else { Ok(port) }
}

/// The empty state folder of a run.
pub(crate) fn empty_state(name: &str) -> Result<PathBuf> {
    let state = state(name);
    let _ = fs::remove_dir_all(&state);
    fs::create_dir_all(&state)?;
    Ok(state)
}

/// The state folder of a run.
pub(crate) fn state(name: &str) -> PathBuf {
    Path::new(&membermail_toolbox::folder()).join("run").join(name)
}
