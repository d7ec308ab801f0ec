//! Checks a deployed stack where only a real account can tell: IAM's condition keys in transactions, the stages of the API,
//! and the first responses on Lambda. It reads unless the operator agrees to more, and never changes an item of the table.

mod aws;
mod cold;
mod report;
mod request;
mod shapes;
mod stack;
mod twin;

use std::time::Duration;

use anyhow::{Context, Result, bail};
pub use aws::Aws;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::Credentials;
pub use report::{Check, ColdStart, Outcome, Report};
pub use request::{Table, Verdict};
pub use shapes::{Part, Request, SHAPES, Shapes, covers};

use crate::stack::Stack;
use crate::twin::Twin;

/// How often, and with which pause, a request is repeated while IAM applies the policies of a new role.
const PROPAGATION: (u32, Duration) = (8, Duration::from_secs(4));

/// What to check.
#[derive(Clone, Debug)]
pub struct Options {
    /// The name of the stack.
    pub stack: String,
    /// The address of the site, if it is not the stack's output `Url`.
    pub url: Option<String>,
    /// Logical ids of the only roles to check; all if empty.
    pub roles: Vec<String>,
    /// Whether temporary roles may be created, and configurations of functions changed for a moment.
    pub may_change: bool,
    /// Whether new roles need time; on an emulator they work at once.
    pub is_aws: bool,
}

/// Checks the stack. `aws` starts the AWS command line, and `config` has the same credentials and region.
pub async fn run(aws: &Aws<'_>, config: &SdkConfig, options: &Options) -> Result<Report> {
    let stack = Stack::read(aws, &options.stack)?;
    let region = config.region().map(Region::to_string).context("no region: pass --region")?;
    let mut report = Report { stack: options.stack.clone(), region, ..Report::default() };
    let api = stack.output("ApiId")?;
    report.checks.push(stack::check_stages(&aws.json(&["apigateway", "get-stages", "--rest-api-id", api])?));
    let url = options.url.as_deref().map_or_else(|| stack.output("Url"), Ok)?;
    let url = format!("{}/health", url.trim_end_matches('/'));
    report.checks.push(stack::check_health(&url, get(&url).await));
    for (id, queue) in stack.of_type("AWS::SQS::Queue") {
        let read = ["sqs", "get-queue-attributes", "--attribute-names", "All", "--queue-url", &queue.name];
        report.checks.push(stack::check_queue(id, &aws.json(&read)?));
    }
    let chosen = chosen(&options.roles)?;
    if !options.may_change {
        let reason = || Outcome::Skipped("pass --yes to create temporary roles".to_owned());
        report.checks.extend(chosen.iter().map(|shapes| Check::new(shapes.holder, "", reason())));
        report.checks.push(Check::new("first responses", "", reason()));
        return Ok(report);
    }
    let caller = aws.json(&["sts", "get-caller-identity"])?;
    let caller = caller["Arn"].as_str().context("the caller has no ARN")?;
    let account = aws.json(&["iam", "get-account-authorization-details", "--filter", "Role"])?;
    for shapes in chosen {
        let holder = stack.resources.get(shapes.holder).with_context(|| format!("no {}", shapes.holder))?;
        let policies = twin::policies(&account, holder)?;
        let twin = Twin::create(aws, &options.stack, shapes.holder, caller, &policies)?;
        let checked = check_role(aws, config, options, &stack, &twin, shapes).await;
        // Also after an error, so that no role remains.
        twin.delete(aws)?;
        report.checks.extend(checked?);
    }
    if !options.roles.is_empty() {
        return Ok(report);
    }
    report.cold_starts = cold::measure(aws, &stack)?;
    if report.cold_starts.is_empty() {
        let reason = "the functions' logs report no times, as on an emulator";
        report.checks.push(Check::new("first responses", "", Outcome::Skipped(reason.to_owned())));
    }
    Ok(report)
}

fn chosen(roles: &[String]) -> Result<Vec<Shapes>> {
    if let Some(unknown) = roles.iter().find(|role| !SHAPES.iter().any(|shapes| shapes.holder == *role)) {
        let known = SHAPES.map(|shapes| shapes.holder);
        bail!("there is no role {unknown}; the roles are {}", known.join(", "));
    }
    let mut chosen = SHAPES.to_vec();
    chosen.retain(|shapes| roles.is_empty() || roles.iter().any(|role| role == shapes.holder));
    Ok(chosen)
}

/// The status and body of a page.
async fn get(url: &str) -> Result<(u16, String), String> {
    let response = reqwest::get(url).await.map_err(|error| error.without_url().to_string())?;
    let status = response.status().as_u16();
    Ok((status, response.text().await.map_err(|error| error.without_url().to_string())?))
}

/// Sends the requests of a role with the credentials of its twin.
async fn check_role(
    aws: &Aws<'_>,
    config: &SdkConfig,
    options: &Options,
    stack: &Stack,
    twin: &Twin<'_>,
    shapes: Shapes,
) -> Result<Vec<Check>> {
    let (tries, pause) = if options.is_aws { PROPAGATION } else { (1, Duration::ZERO) };
    let credentials = assume(aws, &twin.arn, tries, pause).await?;
    let config = aws_sdk_dynamodb::config::Builder::from(config).credentials_provider(credentials).build();
    let table = Table { client: Client::from_conf(config), name: stack.output("TableName")?.to_owned() };
    let mut results = Vec::new();
    for request in shapes.requests {
        let mut verdict = table.send(*request).await;
        for _ in 1..tries {
            if verdict != Verdict::Denied {
                break;
            }
            tokio::time::sleep(pause).await;
            verdict = table.send(*request).await;
        }
        results.push((*request, verdict));
    }
    // No role may change an audit entry, so this shows whether IAM is enforced at all.
    let forbidden = table.send(Request::Write(Part::Update, "AUDIT#")).await;
    Ok(vec![check_requests(shapes.holder, &results), check_enforcement(shapes.holder, &forbidden)])
}

fn check_requests(holder: &str, results: &[(Request, Verdict)]) -> Check {
    let allowed = results.iter().filter(|(_, verdict)| *verdict == Verdict::Allowed).count();
    let faults = results.iter().filter_map(|(request, verdict)| match verdict {
        Verdict::Allowed => None,
        Verdict::Denied => Some(format!("denied: {request}")),
        Verdict::Failed(cause) => Some(format!("{request} failed: {cause}")),
    });
    let faults: Vec<_> = faults.collect();
    let outcome = if faults.is_empty() { Outcome::Passed } else { Outcome::Failed(faults.join("; ")) };
    Check::new(holder, format!("{allowed} of {} kinds of requests allowed", results.len()), outcome)
}

fn check_enforcement(holder: &str, forbidden: &Verdict) -> Check {
    let outcome = match forbidden {
        Verdict::Denied => Outcome::Passed,
        Verdict::Allowed => {
            Outcome::Skipped("IAM is not enforced here, so that allowed requests prove nothing".to_owned())
        }
        Verdict::Failed(cause) => Outcome::Failed(cause.clone()),
    };
    Check::new(format!("{holder} may not change the audit log"), "", outcome)
}

/// Credentials of a role, which IAM knows after a while.
async fn assume(aws: &Aws<'_>, arn: &str, tries: u32, pause: Duration) -> Result<Credentials> {
    let command = ["sts", "assume-role", "--role-session-name", "smoke-test", "--role-arn", arn];
    let mut assumed = aws.json(&command);
    for _ in 1..tries {
        if assumed.is_ok() {
            break;
        }
        tokio::time::sleep(pause).await;
        assumed = aws.json(&command);
    }
    let assumed = assumed.context("the temporary role cannot be assumed")?;
    let field = |name: &str| assumed["Credentials"][name].as_str().map(str::to_owned);
    let (key, secret) = (field("AccessKeyId").context("no key")?, field("SecretAccessKey").context("no secret")?);
    Ok(Credentials::new(key, secret, field("SessionToken"), None, "a temporary role"))
}

/// The SDK's configuration for a region and profile, as the AWS command line has it.
pub async fn sdk_config(region: Option<&str>, profile: Option<&str>) -> SdkConfig {
    let mut loader = aws_config::defaults(BehaviorVersion::v2026_01_12());
    if let Some(region) = region {
        loader = loader.region(Region::new(region.to_owned()));
    }
    if let Some(profile) = profile {
        loader = loader.profile_name(profile);
    }
    loader.load().await
}

#[cfg(test)]
#[path = "lib_tests.rs"]
mod tests;
