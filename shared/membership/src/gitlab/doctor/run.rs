//! Runs the checks, one request at a time.

use std::collections::HashMap;

use membermail_core::address::DomainName;
use membermail_core::community::Community;
use membermail_core::member::{Identity, Subject, TeamName};
use serde::Deserialize;

use super::super::client::Client;
use super::super::source::user_id;
use super::{Check, Finding, GroupReport, Report};
use crate::error::Error;
use crate::http::decode;
use crate::source::{PageCursor, Source};

/// The largest id of a PostgreSQL integer, which no user has.
const UNUSED_ID: i64 = 2_147_483_647;
/// The scope that reads users and groups.
const SCOPE: &str = "read_api";

/// The identity and the groups to check.
#[derive(Clone, Debug)]
pub struct CheckPlan {
    identity: Option<Subject>,
    groups: Vec<(TeamName, Vec<DomainName>)>,
}

impl CheckPlan {
    /// Checks these groups, or without any, all groups of the community. The identity is a user id.
    pub fn new(community: &Community, identity: Option<Subject>, groups: Vec<TeamName>) -> Self {
        let all = community.domains.iter().map(|domain| domain.team.clone());
        let mut selected: Vec<_> = if groups.is_empty() { all.collect() } else { groups };
        selected.sort();
        selected.dedup();
        let domains_of = |group: &TeamName| {
            let domains = community.domains.iter().filter(|domain| domain.team == *group);
            domains.map(|domain| domain.domain.clone()).collect()
        };
        let groups = selected.into_iter().map(|group| {
            let domains = domains_of(&group);
            (group, domains)
        });
        Self { identity, groups: groups.collect() }
    }
}

/// The token as `GET /personal_access_tokens/self` describes it.
#[derive(Deserialize)]
struct TokenResponse {
    active: bool,
    scopes: Vec<String>,
    expires_at: Option<String>,
}

/// Runs all checks and calls `on_step` before each request. Fails only if the server does not respond at all; everything else
/// is a finding.
pub async fn examine(client: &Client, plan: &CheckPlan, mut on_step: impl FnMut(&str)) -> Result<Report, Error> {
    on_step("the token");
    let mut findings = vec![check_token(client).await?];
    on_step("a user who does not exist");
    findings.push(match client.person(&identity(client, UNUSED_ID.to_string().as_str())?).await {
        Ok(None) => Finding::new(Check::UnknownUser, true, "the server answers 404"),
        Ok(Some(_)) => Finding::new(Check::UnknownUser, false, format!("the server has a user {UNUSED_ID}")),
        Err(error) => Finding::new(Check::UnknownUser, false, error.to_string()),
    });
    findings.push(match &plan.identity {
        Some(subject) => {
            on_step("the user");
            check_user(client, subject).await
        }
        None => Finding::skipped(Check::UserFields, "no identity was given"),
    });
    let mut groups = Vec::new();
    for (group, domains) in &plan.groups {
        on_step(&format!("the group {group}"));
        let mut report = GroupReport {
            group: group.clone(),
            domains: domains.clone(),
            id: None,
            error: None,
            pages: 0,
            people: 0,
            shown: 0,
            malformed: 0,
            total: None,
            duplicates: 0,
        };
        if let Err(error) = read_group(client, &mut report, &mut on_step).await {
            report.error = Some(error.to_string());
        }
        groups.push(report);
    }
    findings.extend(check_groups(&groups));
    Ok(Report { url: client.settings().url.clone(), findings, groups })
}

fn identity(client: &Client, subject: &str) -> Result<Identity, Error> {
    let subject = Subject::parse(subject).map_err(|_| Error::Malformed { what: "the identity" })?;
    Ok(Identity { issuer: client.settings().issuer.clone(), subject })
}

async fn check_token(client: &Client) -> Result<Finding, Error> {
    const WHAT: &str = "the token";
    let url = client.url("personal_access_tokens/self");
    let token = client.get(&url, WHAT, &client.start_page(), |_, body| decode::<TokenResponse>(body, WHAT)).await;
    Ok(match token {
        Ok(token) => {
            let has_scope = token.scopes.iter().any(|scope| scope == SCOPE || scope == "api");
            let state = if token.active { "active" } else { "not active" };
            let end = token.expires_at.map_or_else(|| "never expires".to_owned(), |at| format!("expires on {at}"));
            let scopes = token.scopes.join(" ");
            Finding::new(Check::Token, token.active && has_scope, format!("{state}, {end}, scopes: {scopes}"))
        }
        // Before GitLab 15.5, or another kind of token.
        Err(error) if error.is_absent() => Finding::skipped(Check::Token, "the server does not describe its tokens"),
        Err(error @ (Error::TokenRefused { .. } | Error::Malformed { .. })) => {
            Finding::new(Check::Token, false, error.to_string())
        }
        Err(error) => return Err(error),
    })
}

async fn check_user(client: &Client, subject: &Subject) -> Finding {
    let identity = Identity { issuer: client.settings().issuer.clone(), subject: subject.clone() };
    if user_id(&identity).is_none() {
        return Finding::new(Check::UserFields, false, "the identity is no user id");
    }
    match client.person(&identity).await {
        Ok(Some(person)) => Finding::new(Check::UserFields, true, format!("account: {:?}", person.account)),
        Ok(None) => Finding::new(Check::UserFields, false, "the server has no such user, or hides it from us"),
        Err(error) => Finding::new(Check::UserFields, false, error.to_string()),
    }
}

async fn read_group(client: &Client, report: &mut GroupReport, on_step: &mut impl FnMut(&str)) -> Result<(), Error> {
    let group = client.group(&report.group).await?.ok_or(Error::NoSuchTeam)?;
    report.id = Some(group.fingerprint.0);
    let mut listed: HashMap<i64, u64> = HashMap::new();
    let mut next = Some(PageCursor::default());
    while let Some(at) = next {
        on_step(&format!("{} from row {}", report.group, at.start));
        let page = client.roster_page(&group, at).await?;
        report.pages += 1;
        report.people += page.people.len() as u64;
        report.shown += page.shown;
        report.malformed += page.malformed;
        report.total = page.total;
        page.people.iter().for_each(|entry| *listed.entry(entry.fingerprint.0).or_default() += 1);
        report.duplicates = listed.values().filter(|count| **count > 1).count() as u64;
        next = page.next;
    }
    Ok(())
}

/// The findings on all groups, each of which names the groups that break the assumption.
pub(crate) fn check_groups(groups: &[GroupReport]) -> Vec<Finding> {
    let judge = |check, good: &str, bad: &str, is_broken: &dyn Fn(&GroupReport) -> bool| {
        let broken: Vec<_> = groups.iter().filter(|group| is_broken(group)).map(|group| group.group.as_str()).collect();
        let detail = if broken.is_empty() { good.to_owned() } else { format!("{bad}: {}", broken.join(", ")) };
        Finding::new(check, broken.is_empty(), detail)
    };
    vec![
        judge(Check::Group, "each group exists at its path", "not found", &|group| group.id.is_none()),
        judge(Check::Paging, "each group was read to its end", "not read to the end", &|group| group.error.is_some()),
        judge(Check::Entries, "no entry is malformed", "malformed entries", &|group| group.malformed > 0),
        judge(Check::Totals, "totals match the entries", "the total differs", &|group| {
            group.error.is_none() && group.total.is_some_and(|total| total != group.shown)
        }),
        judge(Check::Duplicates, "each user is listed once", "users listed twice", &|group| group.duplicates > 0),
    ]
}
