//! `GET /health`: the deployed build, and whether its dependencies respond.

use std::process::Command;

use anyhow::{Context, Result, ensure};
use membermail_core::clock::SystemClock;
use membermail_runtime::queue::Queue;
use membermail_runtime::secret::MasterSecret;
use membermail_store::Store;
use membermail_tests::browser::Browser;
use membermail_tests::stack::Stack;
use serde_json::Value;
use sso::build::Build;
use sso::health::{Dependency, HealthCheck};

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn healthy_stack_reports_its_build() -> Result<()> {
    let stack = Stack::of_this_run()?;
    for base in [&stack.public_url, &stack.api_url] {
        let url = base.join("health")?;
        let page = Browser::new()?.get(url.clone()).await?;
        ensure!(page.status == 200, "{}: {}", page.status, page.text);
        ensure!(page.headers["cache-control"] == "no-store" && page.headers["content-type"] == "application/json");
        let health: Value = serde_json::from_str(&page.text)?;
        ensure!(health["status"] == "ok", "{health}");
        let git = Command::new("git").args(["rev-parse", "HEAD"]).output()?;
        let head = String::from_utf8(git.stdout)?;
        ensure!(health["build"]["commit"] == head.trim() && head.trim().len() == 40, "{health} at {head}");
        ensure!(health["build"]["version"] == env!("CARGO_PKG_VERSION"), "{health}");
        ensure!(health["build"]["committed"].as_str().is_some_and(|at| at.starts_with("20")), "{health}");
        let dependencies = health["dependencies"].as_array().context("no dependencies")?;
        let names: Vec<_> = dependencies.iter().filter_map(|one| one["name"].as_str()).collect();
        let expected = ["table", "secret", "verify-queue", "grant-queue", "write-queue", "sync-queue", "notify-queue"];
        ensure!(names == expected, "{names:?}");
        for one in dependencies {
            ensure!(one["ok"] == true && one["milliseconds"].as_u64().is_some_and(|ms| ms < 3000), "{one}");
        }
        // No addresses of the dependencies.
        for secret in [&stack.table, &stack.master_secret_arn, &stack.verify_queue_url] {
            ensure!(!page.text.contains(secret.as_str()), "{}", page.text);
        }

        let head = Browser::new()?.request("HEAD", url.clone()).await?;
        ensure!(head.status == 200 && head.text.is_empty(), "{}: {}", head.status, head.text);
        let post = Browser::new()?.request("POST", url).await?;
        ensure!(post.status == 405 && post.headers["allow"] == "GET, HEAD", "{}", post.status);
    }
    Ok(())
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn missing_dependency_is_named() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let sqs = stack.sqs().await;
    let missing_queue = format!("{}-missing", stack.verify_queue_url);
    let arn = "arn:aws:secretsmanager:us-east-1:000000000000:secret:missing";
    let dependencies: Vec<(&'static str, Box<dyn Dependency>)> = vec![
        ("table", Box::new(stack.store().await)),
        ("no-table", Box::new(Store::new(stack.dynamodb().await, "missing"))),
        ("secret", Box::new(MasterSecret::new(stack.secrets().await, &stack.master_secret_arn))),
        ("no-secret", Box::new(MasterSecret::new(stack.secrets().await, arn))),
        ("queue", Box::new(Queue::new(sqs.clone(), &stack.verify_queue_url))),
        ("no-queue", Box::new(Queue::new(sqs, missing_queue))),
    ];
    let report = HealthCheck::new(Build::of_process(), dependencies).report(&SystemClock).await;
    ensure!(report.status == "failing", "{report:?}");
    for answer in &report.dependencies {
        ensure!(answer.ok != answer.name.starts_with("no-"), "{answer:?}");
    }
    Ok(())
}
