//! The whole site on this machine: emulator, stack, stand-ins and front. `up` and `test` differ in what they do then.

use std::fs;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use membermail_core::clock::{Clock, SystemClock};
use membermail_localstack::{Running, invoke_url};
use membermail_store::Store;
use membermail_toolbox::process::Process;
use tokio::net::TcpListener;

use crate::emulator::Emulator;
use crate::mail::Mail;
use crate::stack::Outputs;
use crate::stand_ins::StandIns;
use crate::{aws, emulator, front, functions, stack};

/// The stage that the template makes by default.
const STAGE: &str = "live";

/// What is started, and where.
#[derive(Debug)]
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
}

/// The site while it runs; it ends with this value.
pub(crate) struct Site {
    /// Where a browser finds it.
    pub(crate) url: String,
    /// What the deployed stack tells.
    pub(crate) outputs: Outputs,
    /// The sign-in provider and Launchpad.
    pub(crate) stand_ins: StandIns,
    /// Where notices arrive.
    pub(crate) mail: Mail,
    /// AWS.
    pub(crate) emulator: Running,
}

impl Site {
    /// Builds, starts and deploys everything.
    pub(crate) async fn start(options: &Options) -> Result<Self> {
        // Ports first: whoever has them taken should not have to wait for a build to hear it.
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port))
            .await
            .with_context(|| format!("port {} is taken: choose another with --port", options.port))?;
        let url = format!("http://localhost:{}", listener.local_addr()?.port());
        let stand_ins = match options.stand_ins {
            0 => TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?.local_addr()?.port(),
            port => port,
        };
        functions::build_here()?;
        // What an earlier run left belongs to an emulator that is gone.
        let _ = fs::remove_dir_all(&options.state);
        fs::create_dir_all(&options.state)?;
        eprintln!("  … start AWS on this machine");
        let emulator = emulator::start(options.emulator, &options.state).await?;
        eprintln!("  ✓ AWS is at {}", emulator.endpoint_url);
        let stand_ins = StandIns::start(stand_ins, &options.state).await?;
        let mail = Mail::start(&options.state).await?;
        let parameters = [
            ("Community", options.community.clone()),
            ("Architecture", architecture().to_owned()),
            ("PublicUrl", url.clone()),
            ("SignInUrl", format!("{}/", stand_ins.url)),
            ("LaunchpadUrl", format!("{}/", stand_ins.url)),
            // Nobody wants to wait here to see what happens while Launchpad fails.
            ("LaunchpadPatienceSeconds", "5".to_owned()),
            ("SyncPatienceSeconds", "10".to_owned()),
            ("SyncLeaseSeconds", "20".to_owned()),
            ("SyncEnabled", options.syncs.to_string()),
            ("MailSecretArn", mail.secret(&emulator.endpoint_url)?),
            ("DigestSeconds", "5".to_owned()),
            ("ErrorIntervalSeconds", "30".to_owned()),
        ];
        let outputs = stack::create(&emulator.endpoint_url, &options.state, &parameters)?;
        let site = Self { url, outputs, stand_ins, mail, emulator };
        let api = invoke_url(&site.emulator.endpoint_url, site.output("ApiId")?, STAGE);
        front::serve(listener, api)?;
        site.verify_domains(&options.community).await?;
        Ok(site)
    }

    /// One output of the stack.
    pub(crate) fn output(&self, name: &str) -> Result<&str> {
        self.outputs.get(name).map(String::as_str).with_context(|| format!("the template has no output {name}"))
    }

    /// Everything that was started, for `cargo dev down`.
    pub(crate) fn processes(&self) -> Vec<Process> {
        vec![self.stand_ins.process, self.mail.process, self.emulator.process]
    }

    /// Ends it in order.
    pub(crate) fn stop(mut self) -> Result<()> {
        self.emulator.stop()
    }

    /// Nobody can prove a domain by DNS on this machine, so all of the community count as proved.
    async fn verify_domains(&self, community: &str) -> Result<()> {
        let client = aws_sdk_dynamodb::Client::new(&aws::local(&self.emulator.endpoint_url).await);
        let store = Store::new(client, self.output("TableName")?);
        for domain in membermail_communities::community(community)?.domain_names() {
            store.verify_domain(domain, SystemClock.now()).await?;
        }
        Ok(())
    }
}

/// Functions run on this machine, so they are built for it.
fn architecture() -> &'static str {
    if cfg!(target_arch = "aarch64") { "arm64" } else { "x86_64" }
}

/// A folder for the state of one kind of run.
pub(crate) fn state(name: &str) -> PathBuf {
    Path::new(&membermail_toolbox::folder()).join("run").join(name)
}
