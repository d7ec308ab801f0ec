//! Decides on the DNS records of the host and of the domains whose mail it handles.

use std::net::IpAddr;

use membermail_core::address::DomainName;
use membermail_core::domain_mail::{Dmarc, DmarcWalk};
use membermail_core::domain_proof::DnsAnswer;

use super::queries::Dns;
use super::report::{Check, Finding};
use super::spf::SpfResult;
use super::{dkim, spf};

/// The host's addresses, and a finding for each.
pub(super) async fn host_addresses(dns: &impl Dns, host: &DomainName) -> (Vec<IpAddr>, Vec<Finding>) {
    let check = Check::Address;
    let (v4, v6) = tokio::join!(dns.addresses(host.as_str(), false), dns.addresses(host.as_str(), true));
    let is_unanswered = matches!((&v4, &v6), (DnsAnswer::Unanswered(_), _) | (_, DnsAnswer::Unanswered(_)));
    let mut addresses = Vec::new();
    for answer in [v4, v6] {
        if let DnsAnswer::Records(records) = answer {
            addresses.extend(records);
        }
    }
    if addresses.is_empty() {
        let finding = if is_unanswered {
            Finding::warning(check, host, "DNS does not answer", "try again")
        } else {
            Finding::fail(check, host, "neither an A nor an AAAA record", "publish the host's address")
        };
        return (addresses, vec![finding]);
    }
    let mut findings = Vec::new();
    for address in &addresses {
        findings.push(match dns.names(*address).await {
            DnsAnswer::Records(names) if names.iter().any(|name| name == host.as_str()) => {
                Finding::pass(check, address, "the reverse record has the host's name")
            }
            DnsAnswer::Records(names) => {
                let reason = format!("the reverse record has the name {}", names.join(", "));
                Finding::fail(
                    check,
                    address,
                    reason,
                    format!("set the reverse record to {host}: many hosts require it"),
                )
            }
            DnsAnswer::Missing => {
                let next = format!("set the reverse record to {host}: many hosts require it");
                Finding::fail(check, address, "no reverse record", next)
            }
            DnsAnswer::Unanswered(_) => Finding::warning(check, address, "DNS does not answer", "try again"),
        });
    }
    (addresses, findings)
}

/// What the host does for a domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// It forwards the domain's mail, and our notices are from there.
    Served,
    /// Bounces arrive there, and forwarded mail leaves with its senders. No header has the domain.
    ReturnPath,
    /// Reports leave under it, with `<>` as the sender (RFC 7208, 2.4).
    Host,
}

/// The findings on a domain. The host sends from `addresses`; the DKIM key has the selector.
pub(super) async fn domain(
    dns: &impl Dns,
    domain: &DomainName,
    role: Role,
    host: &DomainName,
    addresses: &[IpAddr],
    selector: Option<&str>,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    if role != Role::Host {
        findings.push(mx(domain, host, &dns.mx(domain.as_str()).await));
    }
    for address in addresses {
        findings.push(spf_finding(domain, role, *address, &spf::check_host(dns, domain.as_str(), *address).await));
    }
    if role == Role::Served {
        if let Some(selector) = selector {
            let name = format!("{selector}._domainkey.{domain}");
            findings.push(dkim::finding(&name, &dns.txt(&name).await));
        }
        findings.push(dmarc(dns, domain).await);
    }
    findings
}

fn mx(domain: &DomainName, host: &DomainName, answer: &DnsAnswer<String>) -> Finding {
    let check = Check::Mx;
    let next = format!("publish MX 10 {host}");
    match answer {
        DnsAnswer::Records(hosts) if hosts.iter().all(|name| name == host.as_str()) => {
            Finding::pass(check, domain, "the host only")
        }
        DnsAnswer::Records(hosts) if hosts.iter().any(|name| name == host.as_str()) => {
            let others: Vec<_> = hosts.iter().filter(|name| *name != host.as_str()).map(String::as_str).collect();
            let reason = format!("also {}", others.join(", "));
            Finding::warning(check, domain, reason, "check these hosts too; remove those that are not ours")
        }
        DnsAnswer::Records(hosts) => Finding::fail(check, domain, format!("other hosts: {}", hosts.join(", ")), next),
        DnsAnswer::Missing => Finding::fail(check, domain, "no MX record", next),
        DnsAnswer::Unanswered(_) => Finding::warning(check, domain, "DNS does not answer", "try again"),
    }
}

fn spf_finding(domain: &DomainName, role: Role, address: IpAddr, result: &SpfResult) -> Finding {
    let check = Check::Spf;
    let record = match role {
        Role::Served => "v=spf1 mx ~all",
        Role::ReturnPath => "v=spf1 mx -all",
        Role::Host => "v=spf1 a -all",
    };
    let next = format!("publish TXT \"{record}\"");
    match result {
        SpfResult::Pass => Finding::pass(check, domain, format!("permits {address}")),
        SpfResult::NotPermitted(qualifier) => {
            let reason = format!("does not permit {address} (result {qualifier}all)");
            Finding::fail(check, domain, reason, format!("add mx to the record, or {next}"))
        }
        // Receivers check the sender's domain first; the name in EHLO matters for `<>` only.
        SpfResult::Records(0) if role == Role::Host => Finding::warning(check, domain, "no record", next),
        SpfResult::Records(0) => Finding::fail(check, domain, "no record", next),
        SpfResult::Records(count) => Finding::fail(check, domain, format!("{count} records"), "keep one"),
        SpfResult::Invalid => {
            Finding::fail(check, domain, "the record is invalid, or needs more than 10 look-ups", next)
        }
        SpfResult::Unknown => {
            let reason = "DNS does not answer, or the record has terms that are not evaluated here";
            Finding::warning(check, domain, reason, format!("check that it permits {address}"))
        }
    }
}

async fn dmarc(dns: &impl Dns, domain: &DomainName) -> Finding {
    let check = Check::Dmarc;
    let mut walk = DmarcWalk::new(domain);
    while let Some(name) = walk.next_name() {
        walk.answer(&dns.txt(&format!("_dmarc.{name}")).await);
    }
    match walk.result() {
        Dmarc::Present { policy, of } => Finding::pass(check, domain, format!("policy {policy} of {of}")),
        Dmarc::None => {
            let next = format!("publish TXT \"v=DMARC1; p=none; rua=mailto:…\" at _dmarc.{domain}");
            Finding::warning(check, domain, "no record", next)
        }
        Dmarc::Several { records } => {
            Finding::fail(check, domain, format!("{records} records count as none"), "keep one")
        }
        Dmarc::Broken => Finding::fail(check, domain, "the record has no valid policy", "correct its p="),
        Dmarc::Unanswered { .. } => Finding::warning(check, domain, "DNS does not answer", "try again"),
    }
}

#[cfg(test)]
mod tests;
