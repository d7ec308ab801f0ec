//! Asks the questions, one request at a time.

use membermail_core::address::DomainName;
use membermail_core::community::Community;
use membermail_core::member::{ClaimedIdentifier, TeamName};

use super::super::client::Client;
use super::super::error::Error;
use super::super::identifier;
use super::super::pages::{LARGEST_PAGE, page_url};
use super::record::record;
use super::report::{Check, Dates, Finding, Report, TeamReport};
use super::{identity, roster};
use crate::source::{PageCursor, Source};

/// Ubuntu One's alphabet has no zero, so that no account has it.
const NO_SUFFIX: &str = "0000000";

/// What to ask.
#[derive(Clone, Debug)]
pub struct Questions {
    identity: Option<ClaimedIdentifier>,
    teams: Vec<(TeamName, Vec<DomainName>)>,
}

impl Questions {
    /// Asks for an identity, and for these teams; without any, for all of the community.
    pub fn new(community: &Community, identity: Option<ClaimedIdentifier>, teams: Vec<TeamName>) -> Self {
        let all = community.domains.iter().map(|domain| domain.team.clone());
        let wanted = if teams.is_empty() { all.collect() } else { teams };
        let mut teams: Vec<(TeamName, Vec<DomainName>)> = Vec::new();
        for team in wanted {
            if !teams.iter().any(|(known, _)| *known == team) {
                let domains = community.domains.iter().filter(|domain| domain.team == team);
                let domains = domains.map(|domain| domain.domain.clone()).collect();
                teams.push((team, domains));
            }
        }
        Self { identity, teams }
    }
}

/// Asks Launchpad and judges its answers. `on_step` hears what comes next. A service that does not answer at all ends it
/// with an error; everything else is a finding.
pub async fn examine(client: &Client, questions: &Questions, mut on_step: impl FnMut(&str)) -> Result<Report, Error> {
    on_step("an identifier without an account");
    let root = client.settings().identifier_roots.first().map_or("https://login.ubuntu.com/+id/", String::as_str);
    let unknown = record(client, &client.person_url(&format!("{root}{NO_SUFFIX}"))).await?;
    let mut findings = vec![identity::check_unknown(&unknown)];
    match &questions.identity {
        Some(identifier) => findings.extend(examine_identity(client, identifier, &mut on_step).await?),
        None => {
            let skip = |check| Finding::skipped(check, "no identity was given");
            findings.extend([Check::Identifier, Check::PersonFields, Check::Groups].map(skip));
        }
    }
    let mut teams = Vec::new();
    for (index, (team, domains)) in questions.teams.iter().enumerate() {
        if index == 0 {
            on_step("a page of 301 rows");
            let url = page_url(&client.roster_url(team), PageCursor { start: 0, size: LARGEST_PAGE + 1 });
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
    identifier: &ClaimedIdentifier,
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
            let url = page_url(&client.groups_url(&person.name), PageCursor { start: 0, size: LARGEST_PAGE });
            identity::check_groups(&record(client, &url).await?)
        }
        None => Finding::skipped(Check::Groups, "no person to ask for"),
    });
    Ok(findings)
}

async fn examine_team(client: &Client, team: &mut TeamReport, on_step: &mut impl FnMut(&str)) -> Result<(), Error> {
    on_step(&format!("the team ~{}", team.team));
    roster::read_created(team, &record(client, &client.group_url(&team.team)).await?)?;
    let list = client.roster_url(&team.team);
    let mut counts = roster::DateCounts::default();
    let mut next = Some(PageCursor { start: 0, size: LARGEST_PAGE });
    while let Some(at) = next {
        on_step(&format!("~{} from row {}", team.team, at.start));
        let answer = record(client, &page_url(&list, at)).await?;
        let (total, link) = roster::add_page(team, &mut counts, at, &answer)?;
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
