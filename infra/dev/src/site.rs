//! The whole site on this machine: emulator, stack, stand-ins and front. The commands differ in what they do then.

use std::fs;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use membermail_core::audit::{Actor, Cause};
use membermail_core::clock::{Clock, SystemClock};
use membermail_core::random::OsRandom;
use membermail_store::Store;
use membermail_toolbox::service::Service;
use tokio::net::TcpListener;

use crate::emulator::{Emulator, invoke_url};
use crate::front::{self, Target};
use crate::functions::Profile;
use crate::mailbox::Mailbox;
use crate::stack::Outputs;
use crate::state::Run;
use crate::{aws, emulator, functions, source, stack, stand_ins, tools};

/// The stage that the template makes by default.
const STAGE: &str = "live";

/// What is started, and where.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    /// Everything that is written goes here.
    pub(crate) state: PathBuf,
    /// Port of the site; 0 finds one.
    pub(crate) port: u16,
    /// Port of the stand-ins; 0 finds one.
    pub(crate) stand_ins: u16,
    /// The community.
    pub(crate) community: String,
    /// Which emulator.
    pub(crate) emulator: Emulator,
    /// Whether the schedule starts syncs; tests ask for theirs.
    pub(crate) syncs: bool,
    /// Port of the emulator; 0 finds one.
    pub(crate) emulator_port: u16,
    /// What functions see as AWS, where that is not the emulator itself.
    pub(crate) seen_by_functions: Option<String>,
    /// How the functions are compiled.
    pub(crate) profile: Profile,
    /// Whether the queues invoke the functions, and not somebody in their place.
    pub(crate) queues: bool,
    /// Seconds that changes are gathered for a digest; less than in production, unless somebody measures.
    pub(crate) digest_seconds: u16,
}

impl Options {
    /// The usual ones: for a folder of this name, on ports that are free.
    pub(crate) fn named(name: &str, emulator: Emulator) -> Self {
        Self {
            state: state(name),
            port: 0,
            stand_ins: 0,
            community: "ubuntu".to_owned(),
            emulator,
            emulator_port: 0,
            seen_by_functions: None,
            profile: Profile::Dev,
            queues: true,
            syncs: false,
            digest_seconds: 5,
        }
    }
}

/// The site while it runs; it ends with this value.
pub(crate) struct Site {
    /// Where a browser finds it.
    pub(crate) url: String,
    /// What the deployed stack tells.
    pub(crate) outputs: Outputs,
    /// The sign-in provider and Launchpad.
    pub(crate) stand_ins: Service,
    /// Where notices arrive.
    pub(crate) mailbox: Mailbox,
    /// AWS.
    pub(crate) emulator: Service,
    /// Its name, which is free again once all of the others have ended.
    pub(crate) run: Run,
}

impl Site {
    /// Builds, starts and deploys everything, and serves it.
    pub(crate) async fn start(options: &Options) -> Result<Self> {
        let (site, listener) = Self::deploy(options).await?;
        front::serve(listener, Target::Api(site.api_url()?))?;
        Ok(site)
    }

    /// All but the front; whoever serves it takes the socket that holds its port.
    pub(crate) async fn deploy(options: &Options) -> Result<(Self, TcpListener)> {
        // Before all: what another run of this name writes is not to be removed.
        let run = Run::begin(&options.state)?;
        // Then ports: whoever has them taken should not have to wait for a build to hear it.
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port))
            .await
            .with_context(|| format!("port {} is taken: choose another with --port", options.port))?;
        let url = format!("http://localhost:{}", listener.local_addr()?.port());
        let port = |asked| if asked == 0 { emulator::free_port() } else { Ok(asked) };
        let (stand_ins, emulator_port) = (port(options.stand_ins)?, port(options.emulator_port)?);
        tools::install()?;
        emulator::install(options.emulator)?;
        functions::build_here(options.profile)?;
        // What an earlier run left belongs to an emulator that is gone.
        let _ = fs::remove_dir_all(&options.state);
        fs::create_dir_all(&options.state)?;
        eprintln!("  … start AWS on this machine");
        let seen = options.seen_by_functions.clone();
        let emulator = emulator::start(options.emulator, &options.state, emulator_port, seen).await?;
        eprintln!("  ✓ AWS is at {}", emulator.url);
        let stand_ins = stand_ins::start(stand_ins, &options.state).await?;
        let mailbox = Mailbox::start(&options.state).await?;
        let parameters = [
            ("Community", options.community.clone()),
            ("Architecture", functions::architecture().to_owned()),
            ("PublicUrl", url.clone()),
            (source::PARAMETER, source::source()),
            ("SignInUrl", format!("{}/", stand_ins.url)),
            ("LaunchpadUrl", format!("{}/", stand_ins.url)),
            // Failures of Launchpad are seen sooner here than in production.
            ("LaunchpadTimeoutSeconds", "5".to_owned()),
            ("LaunchpadRetryMilliseconds", "20".to_owned()),
            ("SyncInvocationSeconds", "15".to_owned()),
            ("SyncPaceMilliseconds", "5".to_owned()),
            ("SyncLeaseSeconds", "20".to_owned()),
            // Stories sync several domains at a time and kill runs: the slot of a dead one must not delay the others.
            ("SyncSlots", "2".to_owned()),
            ("SyncEnabled", options.syncs.to_string()),
            // A stack on this machine asks the world nothing by itself.
            ("DomainChecksEnabled", "false".to_owned()),
            ("QueuesEnabled", options.queues.to_string()),
            ("MailSecretArn", mailbox.secret(&emulator.url)?),
            ("DigestSeconds", options.digest_seconds.to_string()),
            ("ErrorIntervalSeconds", "30".to_owned()),
            ("DashboardEnabled", "true".to_owned()),
        ];
        let outputs = stack::create(options.emulator, &emulator.url, &options.state, &parameters)?;
        emulator::complete(options.emulator, &emulator.url, stack::NAME)?;
        let site = Self { url, outputs, stand_ins, mailbox, emulator, run };
        site.verify_domains(&options.community).await?;
        Ok((site, listener))
    }

    /// One output of the stack.
    pub(crate) fn output(&self, name: &str) -> Result<&str> {
        self.outputs.get(name).map(String::as_str).with_context(|| format!("the template has no output {name}"))
    }

    /// The REST API itself, which the front stands before.
    pub(crate) fn api_url(&self) -> Result<String> {
        Ok(invoke_url(&self.emulator.url, self.output("ApiId")?, STAGE))
    }

    /// The table, as the functions use it.
    pub(crate) async fn store(&self) -> Result<Store> {
        let client = aws_sdk_dynamodb::Client::new(&aws::local(&self.emulator.url).await);
        Ok(Store::new(client, self.output("TableName")?))
    }

    /// Ends it in order.
    pub(crate) fn stop(mut self) -> Result<()> {
        self.emulator.stop()?;
        self.stand_ins.stop()
    }

    /// Nobody can prove a domain by DNS on this machine, so all of the community count as proved.
    async fn verify_domains(&self, community: &str) -> Result<()> {
        let store = self.store().await?;
        let (by, now) = (Some("cargo dev"), SystemClock.now());
        let cause = Cause { actor: Actor::Operator, by, request_id: "cargo-dev", now };
        for domain in membermail_communities::community(community)?.domain_names() {
            store.verify_domain(domain, cause, &OsRandom).await?;
        }
        Ok(())
    }
}

/// A folder for the state of one kind of run.
pub(crate) fn state(name: &str) -> PathBuf {
    Path::new(&membermail_toolbox::folder()).join("run").join(name)
}
