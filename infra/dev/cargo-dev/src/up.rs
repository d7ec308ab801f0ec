//! `cargo dev up` and `cargo dev down`.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result};
use membermail_test_mail_host::rig::Rig;

use crate::emulator::{self, Emulator};
use crate::run_record::{self, DEFAULT_NAME, Name, RecordedRun};
use crate::shutdown::Shutdown;
use crate::site::{self, Site};
use crate::{aws, mail, serve, stack, stack_file};

/// Options of `cargo dev up` and `cargo dev watch`.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Port of the site; 0 for a free one
    #[arg(long, default_value_t = 8480)]
    port: u16,
    /// Port of the fakes for the sign-in provider and the membership source; 0 finds one
    #[arg(long, default_value_t = 8481)]
    fakes_port: u16,
    /// Community: name of a file in shared/communities
    #[arg(long, default_value = "ubuntu")]
    community: String,
    /// Also start a mail host, and a page with the received mail
    #[arg(long)]
    mail: bool,
    /// AWS emulator
    #[arg(long, value_enum, default_value_t, env = emulator::VARIABLE)]
    emulator: Emulator,
    /// Leave the messages in the queues, so that you can invoke the functions behind them yourself
    #[arg(long)]
    no_queues: bool,
    #[command(flatten)]
    pub(crate) name: Name,
}

impl Options {
    /// Options of the site.
    pub(crate) fn site(&self) -> site::Options {
        let usual = site::Options::named(&self.name.name, self.emulator);
        let Self { port, fakes_port: fakes, ref community, no_queues, .. } = *self;
        site::Options { port, fakes, community: community.clone(), syncs: true, queues: !no_queues, ..usual }
    }
}

/// Starts the site and runs until a signal.
pub(crate) async fn up(options: &Options) -> Result<()> {
    let name = &options.name.name;
    let started = Instant::now();
    let mut shutdown = Shutdown::new()?;
    if options.mail {
        mail::install()?;
    }
    let with_mail = options.mail;
    let options = options.site();
    let site = tokio::select! {
        site = Site::start(&options) => site?,
        // Dropping the future stops the services that have started.
        () = shutdown.requested() => return Ok(()),
    };
    let mail = if with_mail {
        tokio::select! {
            mail = mail::start(&site, &options.state, &options.community) => Some(mail?),
            () = shutdown.requested() => return Ok(()),
        }
    } else {
        None
    };
    let mail_processes: Vec<_> = mail.iter().flat_map(|mail| mail.processes()).collect();
    site.run.record_processes(&mail_processes)?;
    serve::write_environment(&options.state, &site.emulator.url)?;
    site.run.publish(stack_file::describe(&site, &options.state)?, &site.url)?;
    print_summary(&site, name, started);
    if let Some(mail) = &mail {
        println!("  mail:     open {} to send and read mail; Postfix listens on 127.0.0.1:{}", mail::PAGE, mail.smtp);
    }
    println!("  notices:  {}", site.mail_sink.mailbox.folder().join("mail").display());
    println!(
        "  operate:  . {} && cargo membermail domain list",
        write_environment(&options.state, &site, mail.as_ref())?.display()
    );
    println!("  reload:   `cargo serve` in another shell rebuilds changed functions behind http://localhost:9000");
    println!("  logs:     {}", emulator::logs(&options.state).display());
    shutdown.requested().await;
    println!("stopping …");
    drop(mail);
    site.stop()
}

/// Prints URLs and next steps.
pub(crate) fn print_summary(site: &Site, name: &str, started: Instant) {
    let name = if name == DEFAULT_NAME { String::new() } else { format!(" --name {name}") };
    println!("\n{} is up after {:.0} s.", site.url, started.elapsed().as_secs_f32());
    let (provider, source) = (site.community.sign_in.title(), site.community.members.title());
    println!("  sign in:  open {}/sign-in and choose a person at {provider} (a fake)", site.url);
    println!("  members:  a fake of {source} at {}; infra/dev/fakes/src/control.rs has its controls", site.fakes.url);
    println!("  AWS:      {}", site.emulator.url);
    println!("  stop:     Ctrl-C, or `cargo dev down{name}`");
}

/// Writes a shell script that sets the environment of this stack and hides the developer's AWS account.
fn write_environment(state: &Path, site: &Site, mail: Option<&Rig>) -> Result<PathBuf> {
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
    fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))?;
    Ok(file)
}

/// Stops a run, even one that is still starting or whose command was killed.
pub(crate) fn down(name: &Name) -> Result<()> {
    let Some(run) = RecordedRun::read(&name.name)? else {
        println!("nothing is running");
        return run_record::clean_up(&name.name);
    };
    run.stop()?;
    match run.url {
        Some(url) => println!("stopped {url}"),
        None => println!("stopped a run that was still starting"),
    }
    Ok(())
}
