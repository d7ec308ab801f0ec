//! `membermail doctor mail`: checks a mail host from outside, as its peers see it. It sends no mail and needs no password.

mod client_hello;
mod connection;
mod dialogue;
mod dkim;
mod dns;
mod ehlo;
#[cfg(test)]
mod fake_host;
mod probes;
mod queries;
mod report;
mod spf;
#[cfg(test)]
mod tests;
mod tls;

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;
use membermail_core::address::DomainName;
use membermail_core::clock::Clock;
use membermail_core::member::ulid;
use membermail_core::random::Random;
use membermail_domains::{NameServers, Resolver, Settings};
use tokio::time::timeout;

use self::dialogue::Target;
use self::dns::Role;
use self::ehlo::Service;
use self::probes::{Names, summarize};
use self::queries::Dns;
use self::report::{Check, Finding, Report};
use self::tls::Trust;
use crate::context::Context;
use crate::failure::Failure;

/// Timeout of each connection attempt, reply, handshake and DNS query.
const STEP: Duration = Duration::from_secs(10);

/// Timeout of all checks.
const TOTAL: Duration = Duration::from_secs(60);

/// The mail host and its domains.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The host, by its name in DNS
    #[arg(long, value_name = "NAME")]
    host: DomainName,
    /// Connect to this address [default: an address of the host in DNS]
    #[arg(long, value_name = "IP")]
    address: Option<IpAddr>,
    /// The port for mail from anywhere
    #[arg(long, value_name = "PORT", default_value_t = 25)]
    port: u16,
    /// The port for our own notices
    #[arg(long, value_name = "PORT", default_value_t = 587)]
    submission_port: u16,
    /// A domain whose mail the host forwards [default: all domains of the community]
    #[arg(long = "domain", value_name = "DOMAIN")]
    domains: Vec<DomainName>,
    /// The return-path domain of mail-host.toml
    #[arg(long, value_name = "DOMAIN")]
    return_path_domain: Option<DomainName>,
    /// The DKIM selector of mail-host.toml
    #[arg(long, value_name = "NAME")]
    selector: Option<String>,
    /// Trust the certificates of this PEM file instead of those of the system
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Ask these DNS servers, separated by commas [default: those of the system]
    #[arg(long, value_name = "ADDRESSES")]
    dns_servers: Option<NameServers>,
}

pub(super) async fn run(context: &Context, mut options: Options) -> Result<(), Failure> {
    if options.domains.is_empty() {
        options.domains = context.deployment.community_without_stack()?.domain_names().cloned().collect();
    }
    let settings = Settings { servers: options.dns_servers.clone(), ..Settings::default() };
    let examination = Examination {
        dns: Resolver::new(&settings).map_err(Failure::other)?,
        trust: Trust::new(&options.host, options.ca.as_deref())?,
        random: context.operator.random(),
        now: context.operator.clock.now(),
        step: STEP,
        options,
    };
    let findings = examination.run(TOTAL).await;
    let report = Report { host: examination.options.host, findings };
    context.output.show(&report)?;
    match report.failures() {
        0 => Ok(()),
        1 => Err(Failure::Other("1 check of the mail host failed".to_owned())),
        count => Err(Failure::Other(format!("{count} checks of the mail host failed"))),
    }
}

/// All checks of one host.
struct Examination<'a, D> {
    options: Options,
    dns: D,
    trust: Trust,
    random: &'a dyn Random,
    now: Timestamp,
    step: Duration,
}

impl<D: Dns> Examination<'_, D> {
    /// The findings; those until then if the time is over.
    async fn run(&self, total: Duration) -> Vec<Finding> {
        let mut findings = Vec::new();
        let mut of_domains = Vec::new();
        if timeout(total, self.examine(&mut findings, &mut of_domains)).await.is_err() {
            let next = "check the network, and try again with fewer domains";
            let reason = format!("the checks did not end within {} s", total.as_secs());
            findings.push(Finding::fail(Check::Time, &self.options.host, reason, next));
        }
        findings.extend(of_domains);
        findings
    }

    async fn examine(&self, findings: &mut Vec<Finding>, of_domains: &mut Vec<Finding>) {
        let (addresses, of_host) = dns::host_addresses(&self.dns, &self.options.host).await;
        findings.extend(of_host);
        let address = self.options.address.or_else(|| addresses.first().copied());
        tokio::join!(
            async {
                if let Some(address) = address {
                    self.talk(address, findings).await;
                }
            },
            self.check_domains(&addresses, of_domains)
        );
    }

    async fn talk(&self, address: IpAddr, findings: &mut Vec<Finding>) {
        let Options { host, port, submission_port, .. } = &self.options;
        let target = Target { host, address, trust: &self.trust, random: self.random, now: self.now, step: self.step };
        if target.check_port(Service::Smtp, *port, findings).await {
            let names = Names {
                host: host.clone(),
                domains: self.options.domains.clone(),
                return_path_domain: self.options.return_path_domain.clone(),
                nobody: format!("doctor-{}", ulid(self.now, self.random)).to_ascii_lowercase(),
            };
            let mut of_probes = Vec::new();
            target.probe(*port, &names.probes(), &mut of_probes).await;
            findings.extend(summarize(&format!("port {port}"), of_probes));
        }
        if target.check_port(Service::Submission, *submission_port, findings).await {
            findings.push(target.check_submission(*submission_port, &format!("postmaster@{host}")).await);
        }
    }

    async fn check_domains(&self, addresses: &[IpAddr], findings: &mut Vec<Finding>) {
        let Options { host, domains, return_path_domain, selector, .. } = &self.options;
        let served = domains.iter().map(|domain| (domain, Role::Served));
        let ours = return_path_domain.iter().map(|domain| (domain, Role::ReturnPath)).chain([(host, Role::Host)]);
        let checks = served
            .chain(ours)
            .map(|(domain, role)| dns::domain(&self.dns, domain, role, host, addresses, selector.as_deref()));
        findings.extend(futures_util::future::join_all(checks).await.concat());
        for (check, is_given, flag) in [
            (Check::Dkim, selector.is_some(), "--selector"),
            (Check::ReturnPath, return_path_domain.is_some(), "--return-path-domain"),
        ] {
            if !is_given {
                findings.push(Finding::warning(check, host, "not checked", format!("give {flag}")));
            }
        }
    }
}
