//! `cargo dev up` and `cargo dev down`.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result};
use membermail_postfix::rig::Rig;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::emulator::{self, Emulator};
use crate::site::{self, Site};
use crate::state::{self, Left};
use crate::{aws, mail, stack, test};

/// The name of a run that is given none.
const DEFAULT: &str = "up";

/// How to start.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Port of the site on this machine; 0 finds one
    #[arg(long, default_value_t = 8480)]
    port: u16,
    /// Port of the stand-ins for the sign-in provider and Launchpad; 0 finds one
    #[arg(long, default_value_t = 8481)]
    stand_ins_port: u16,
    /// The community, as its file in infra/communities is named
    #[arg(long, default_value = "ubuntu")]
    community: String,
    /// Also start a mail host, and a page that shows what arrived
    #[arg(long)]
    mail: bool,
    /// What stands for AWS
    #[arg(long, value_enum, default_value_t, env = emulator::VARIABLE)]
    emulator: Emulator,
    #[command(flatten)]
    pub(crate) name: Name,
}

/// Which run is meant.
#[derive(Debug, clap::Args)]
pub(crate) struct Name {
    /// Name of this run; runs of different names do not know each other
    #[arg(long, default_value = DEFAULT)]
    pub(crate) name: String,
}

impl Options {
    /// What the site is started with.
    pub(crate) fn site(&self) -> site::Options {
        let usual = site::Options::named(&self.name.name, self.emulator);
        let Self { port, stand_ins_port: stand_ins, ref community, .. } = *self;
        site::Options { port, stand_ins, community: community.clone(), syncs: true, ..usual }
    }
}

/// Somebody wants this process to end.
pub(crate) struct Stop {
    interrupt: Signal,
    terminate: Signal,
}

impl Stop {
    /// Listens from now on, so that a Ctrl-C while things start ends them in order too.
    pub(crate) fn new() -> Result<Self> {
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    /// Waits for it.
    pub(crate) async fn asked(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// Starts everything and stays until it is told to stop.
pub(crate) async fn up(options: &Options) -> Result<()> {
    let name = &options.name.name;
    let (mut stop, begin) = (Stop::new()?, Instant::now());
    if options.mail {
        mail::install()?;
    }
    let with_mail = options.mail;
    let options = options.site();
    let site = tokio::select! {
        site = Site::start(&options) => site?,
        // What was started so far ends as its values are dropped.
        () = stop.asked() => return Ok(()),
    };
    let mail = if with_mail {
        tokio::select! {
            mail = mail::start(&site, &options.state, &options.community) => Some(mail?),
            () = stop.asked() => return Ok(()),
        }
    } else {
        None
    };
    let more: Vec<_> = mail.iter().flat_map(|mail| mail.processes()).collect();
    site.run.note(&more)?;
    site.run.announce(test::describe(&site, &options.state)?, &site.url)?;
    tell(&site, name, begin);
    if let Some(mail) = &mail {
        println!("  mail:     {} shows what arrived and sends mail; Postfix is at 127.0.0.1:{}", mail::PAGE, mail.smtp);
    }
    println!("  notices:  {}", site.mailbox.folder.join("mail").display());
    println!(
        "  operate:  . {} && cargo membermail domain list",
        environment(&options.state, &site, mail.as_ref())?.display()
    );
    println!("  logs:     {}", emulator::logs(&options.state).display());
    stop.asked().await;
    println!("stopping …");
    drop(mail);
    site.stop()
}

/// Says what one can do now.
pub(crate) fn tell(site: &Site, name: &str, begin: Instant) {
    let name = if name == DEFAULT { String::new() } else { format!(" --name {name}") };
    println!("\n{} is up after {:.0} s.", site.url, begin.elapsed().as_secs_f32());
    println!("  sign in:  open {}/sign-in and choose a person at {}", site.url, site.stand_ins.url);
    println!("  AWS:      {}", site.emulator.url);
    println!("  stop:     Ctrl-C, or `cargo dev down{name}`");
}

/// Writes what a shell needs to talk to this stack and not to an account of the developer's.
fn environment(state: &Path, site: &Site, mail: Option<&Rig>) -> Result<PathBuf> {
    let file = state.join("env");
    let mut text = format!("export MEMBERMAIL_STACK_NAME={}\nunset AWS_PROFILE AWS_SESSION_TOKEN\n", stack::NAME);
    for (name, value) in aws::environment(&site.emulator.url) {
        text.push_str(&format!("export {name}={value}\n"));
    }
    if let Some(mail) = mail {
        text.push_str("export MEMBERMAIL_MAIL_HOST=127.0.0.1\n");
        text.push_str(&format!("export MEMBERMAIL_MAIL_PORT={}\n", mail.smtp));
        text.push_str(&format!("export MEMBERMAIL_MAIL_LOG={}\n", mail.log.display()));
    }
    fs::write(&file, text).with_context(|| format!("writing {}", file.display()))?;
    Ok(file)
}

/// Ends what a command started, also while it starts, and where it was killed.
pub(crate) fn down(name: &Name) -> Result<()> {
    let Some(left) = Left::read(&name.name)? else {
        println!("nothing runs");
        return state::forget(&name.name);
    };
    left.stop()?;
    match left.url {
        Some(url) => println!("stopped what was at {url}"),
        None => println!("stopped what was starting"),
    }
    Ok(())
}
