//! Runs the checks, one request at a time.

use membermail_core::address::DomainName;
use membermail_core::community::Community;
use membermail_core::member::{Subject, TeamName};

use super::super::client::Client;
use super::super::identifier;
use super::super::pages::{MAX_PAGE_SIZE, page_url};
use super::Finding;
use super::record::record;
use super::report::{Check, Dates, Report, TeamReport};
use super::{identity, roster};
use crate::error::Error;
use crate::source::{PageCursor, Source};

/// No account has this suffix, because Ubuntu One's alphabet has no zero.
const UNUSED_SUFFIX: &str = "0000000";

/// The identity and the teams to check.
#[derive(Clone, Debug)]
pub struct CheckPlan {
    identity: Option<Subject>,
    teams: Vec<(TeamName, Vec<DomainName>)>,
}

impl CheckPlan {
    /// Checks these teams, or without any, all teams of the community.
    pub fn new(community: &Community, identity: Option<Subject>, teams: Vec<TeamName>) -> Self {
        let all = community.domains.iter().map(|domain| domain.team.clone());
        let selected = if teams.is_empty() { all.collect() } else { teams };
        let mut teams: Vec<(TeamName, Vec<DomainName>)> = Vec::new();
        for team in selected {
            if !teams.iter().any(|(known, _)| *known == team) {
                let domains = community.domains.iter().filter(|domain| domain.team == team);
                let domains = domains.map(|domain| domain.domain.clone()).collect();
                teams.push((team, domains));
            }
        }
        Self { identity, teams }
    }
}

/// Runs all checks and calls `on_step` before each request. Fails only if Launchpad does not respond at all; everything else is
/// a finding.
pub async fn examine(client: &Client, plan: &CheckPlan, mut on_step: impl FnMut(&str)) -> Result<Report, Error> {
    on_step("an identifier without an account");
    let root = client.settings().identifier_roots.first().map_or("https://login.ubuntu.com/+id/", String::as_str);
    let unknown = record(client, &client.person_url(&format!("{root}{UNUSED_SUFFIX}"))).await?;
    let mut findings = vec![identity::check_unknown(&unknown)];
    match &plan.identity {
        Some(identifier) => findings.extend(examine_identity(client, identifier, &mut on_step).await?),
        None => {
            let skipped = [Check::Identifier, Check::PersonFields, Check::Groups];
            findings.extend(skipped.map(|check| Finding::skipped(check, "no identity was given")));
        }
    }
    let mut teams = Vec::new();
    for (index, (team, domains)) in plan.teams.iter().enumerate() {
        if index == 0 {
            on_step("a page of 301 rows");
            let url = page_url(&client.roster_url(team), PageCursor { start: 0, size: MAX_PAGE_SIZE + 1 });
            findings.push(roster::check_page_size_limit(&record(client, &url).await?));
        }
        let mut report = empty_report(team, domains);
        if let Err(error) = examine_team(client, &mut report, &mut on_step).await {
            report.error = Some(error.to_string());
        }
        teams.push(report);
    }
    findings.extend(roster::check_teams(&teams, |fingerprint| client.is_shared(fingerprint)));
    Ok(Report { api: client.settings().api.clone(), findings, teams })
}

async fn examine_identity(
    client: &Client,
    identifier: &Subject,
    on_step: &mut impl FnMut(&str),
) -> Result<Vec<Finding>, Error> {
    on_step("the identity under its own root");
    let own = record(client, &client.person_url(identifier.as_str())).await?;
    let other = match identifier::under_other_root(identifier.as_str(), &client.settings().identifier_roots) {
        Some(other) => {
            on_step("the identity under the other root");
            Some(record(client, &client.person_url(&other)).await?)
        }
        None => None,
    };
    let (mut findings, person) = identity::check_identifier(&own, other.as_ref());
    findings.push(match person {
        Some(person) => {
            on_step("the teams of the person");
            let url = page_url(&client.groups_url(&person.name), PageCursor { start: 0, size: MAX_PAGE_SIZE });
            identity::check_groups(&record(client, &url).await?)
        }
        None => Finding::skipped(Check::Groups, "no person was found"),
    });
    Ok(findings)
}

async fn examine_team(client: &Client, team: &mut TeamReport, on_step: &mut impl FnMut(&str)) -> Result<(), Error> {
    on_step(&format!("the team ~{}", team.team));
    roster::read_created(team, &record(client, &client.group_url(&team.team)).await?)?;
    let list = client.roster_url(&team.team);
    let mut counts = roster::DateCounts::default();
    let mut next = Some(PageCursor { start: 0, size: MAX_PAGE_SIZE });
    while let Some(at) = next {
        on_step(&format!("~{} from row {}", team.team, at.start));
        let response = record(client, &page_url(&list, at)).await?;
        let (total, link) = roster::add_page(team, &mut counts, at, &response)?;
        counts.summarize(&mut team.dates);
        next = client.next_cursor(link.as_deref(), total, at)?;
    }
    Ok(())
}

fn empty_report(team: &TeamName, domains: &[DomainName]) -> TeamReport {
    TeamReport {
        team: team.clone(),
        domains: domains.to_vec(),
        created: None,
        error: None,
        pages: Vec::new(),
        people: 0,
        teams: 0,
        malformed: 0,
        total: 0,
        visible_ids: 0,
        dates: Dates::default(),
    }
}
