//! The workflow that deploys: what it builds, what may act with which identity, and what infra/dev/deployer.yaml trusts.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use membermail_permissions::template::Template;
use membermail_permissions::yaml;
use membermail_tests::documents::{files, read};
use membermail_toolbox::workspace;
use serde_json::{Value, json};

const RELEASE: &str = ".github/workflows/deploy.yml";
const STAGE: &str = ".github/workflows/deploy-stage.yml";

fn workflow(file: &str) -> Result<Value> {
    yaml::parse(&read(file)?)
}

fn jobs(workflow: &Value) -> impl Iterator<Item = (&str, &Value)> {
    workflow["jobs"].as_object().into_iter().flatten().map(|(name, job)| (name.as_str(), job))
}

fn steps(job: &Value) -> impl Iterator<Item = &Value> {
    job["steps"].as_array().into_iter().flatten()
}

/// All scripts of a workflow.
fn scripts(workflow: &Value) -> String {
    jobs(workflow)
        .flat_map(|(_, job)| steps(job))
        .filter_map(|step| step["run"].as_str())
        .collect::<Vec<_>>()
        .join("\n")
}

/// The functions whose code the template uploads.
fn functions() -> Result<BTreeSet<String>> {
    let template = read("template.yaml")?;
    let names = template.lines().filter_map(|line| line.trim().strip_prefix("CodeUri: target/lambda/"));
    let names: BTreeSet<_> = names.filter_map(|rest| rest.strip_suffix("/bootstrap.zip")).map(str::to_owned).collect();
    ensure!(names.len() >= 8, "only {names:?} are recognized");
    Ok(names)
}

#[test]
fn actions_are_pinned_by_commit() -> Result<()> {
    let mut found = 0;
    for file in files(&[".github/workflows"], "yml")? {
        let workflow = workflow(&file)?;
        for action in jobs(&workflow).flat_map(|(_, job)| steps(job)).filter_map(|step| step["uses"].as_str()) {
            let commit = action.split_once('@').with_context(|| action.to_owned())?.1;
            let is_commit = commit.len() == 40 && commit.bytes().all(|byte| byte.is_ascii_hexdigit());
            ensure!(is_commit, "{file}: {action} is not pinned");
            found += 1;
        }
    }
    ensure!(found > 8, "only {found} actions are recognized");
    Ok(())
}

#[test]
fn release_builds_every_function_once() -> Result<()> {
    let (release, stage) = (workflow(RELEASE)?, workflow(STAGE)?);
    let build = scripts(&release);
    let mut words = build.split_whitespace();
    let mut built = BTreeSet::new();
    while words.by_ref().any(|word| word == "--package") {
        built.extend(words.next().map(str::to_owned));
    }
    ensure!(built == functions()?, "{built:?} are built");
    let attested = release["jobs"]["attest"]["strategy"]["matrix"]["function"].as_array().context("no matrix")?;
    let attested: BTreeSet<_> = attested.iter().filter_map(|one| one.as_str().map(str::to_owned)).collect();
    ensure!(attested == functions()?, "{attested:?} are attested");
    let deployed = scripts(&stage);
    ensure!(build.contains("--arm64") && build.contains("--release") && build.contains("--output-format zip"));
    ensure!(!deployed.contains("cargo lambda") && deployed.contains("--skip-build"), "{deployed}");
    Ok(())
}

#[test]
fn stages_follow_each_other() -> Result<()> {
    let release = workflow(RELEASE)?;
    let jobs = &release["jobs"];
    for (job, needs) in [("attest", "build"), ("staging", "attest"), ("production", "staging")] {
        ensure!(jobs[job]["needs"] == needs, "{job} needs {}", jobs[job]["needs"]);
    }
    for environment in ["staging", "production"] {
        ensure!(jobs[environment]["uses"] == format!("./{STAGE}"));
        ensure!(jobs[environment]["with"] == json!({ "environment": environment }));
    }
    ensure!(jobs["build"]["if"] == "github.ref == 'refs/heads/main'");
    let deploy = &workflow(STAGE)?["jobs"]["deploy"];
    ensure!(deploy["environment"] == "${{ inputs.environment }}");
    let smoke = steps(deploy).last().and_then(|step| step["run"].as_str());
    ensure!(smoke.is_some_and(|command| command.starts_with("cargo dev smoke")), "{smoke:?}");
    Ok(())
}

/// Code of dependencies runs in `build`, which must not be able to sign or to deploy.
#[test]
fn only_signing_and_deploying_have_identities() -> Result<()> {
    let release = workflow(RELEASE)?;
    ensure!(release["permissions"] == json!({}) && workflow(STAGE)?["permissions"] == json!({}));
    ensure!(release["jobs"]["build"]["permissions"] == json!({ "contents": "read" }));
    let attest = &release["jobs"]["attest"];
    ensure!(attest["permissions"] == json!({ "attestations": "write", "id-token": "write" }));
    ensure!(steps(attest).all(|step| step["run"].is_null()), "attest runs a script");
    let stage = workflow(STAGE)?;
    for job in [&release["jobs"]["staging"], &release["jobs"]["production"], &stage["jobs"]["deploy"]] {
        ensure!(job["permissions"] == json!({ "attestations": "read", "contents": "read", "id-token": "write" }));
    }
    Ok(())
}

/// An expression in a script would be replaced before the shell reads it.
#[test]
fn scripts_contain_no_expressions() -> Result<()> {
    for file in files(&[".github/workflows"], "yml")? {
        ensure!(!scripts(&workflow(&file)?).contains("${{"), "{file}");
    }
    Ok(())
}

#[test]
fn variables_are_documented_outputs() -> Result<()> {
    let stage = read(STAGE)?;
    let used = stage.split("vars.").skip(1).map(|rest| rest.split([' ', '}']).next().unwrap_or_default());
    let used: BTreeSet<_> = used.collect();
    let expected = ["AWS_REGION", "BOUNDARY_ARN", "CODE_BUCKET", "DEPLOY_ROLE_ARN", "SERVICE_ROLE_ARN", "STACK"];
    ensure!(used == BTreeSet::from(expected), "{used:?}");
    let page = read("docs/aws.md")?;
    ensure!(used.iter().all(|name| page.contains(&format!("`{name}`"))), "docs/aws.md lacks one of {used:?}");
    let parameters = [("Repository", "a/b"), ("RepositoryId", "1")];
    let deployer = Template::read(&workspace().join("infra/dev/deployer.yaml"), "any", &parameters)?;
    let outputs: BTreeSet<_> = deployer.outputs().collect();
    ensure!(outputs == BTreeSet::from(["BoundaryArn", "Bucket", "DeployRoleArn", "ServiceRoleArn"]), "{outputs:?}");
    Ok(())
}

/// The role trusts a job by the environment that it runs in.
#[test]
fn role_trusts_each_environment() -> Result<()> {
    let release = workflow(RELEASE)?;
    for environment in ["staging", "production"] {
        let parameters = [("Repository", "a/b"), ("RepositoryId", "1"), ("Environment", environment)];
        let deployer = Template::read(&workspace().join("infra/dev/deployer.yaml"), "any", &parameters)?;
        let trusted =
            deployer.properties("DeployRole")?["AssumeRolePolicyDocument"]["Statement"][0]["Condition"].take();
        let trusted = &trusted["StringEquals"];
        let input = release["jobs"][environment]["with"]["environment"].as_str().context("no environment")?;
        let subject = &trusted["token.actions.githubusercontent.com:sub"];
        ensure!(*subject == format!("repo:a/b:environment:{input}"), "{subject}");
        // `build` runs on this branch only, and so do the jobs that need it.
        ensure!(trusted["token.actions.githubusercontent.com:ref"] == "refs/heads/main");
    }
    Ok(())
}
