//! The quota of concurrent executions, and the readers of the queues.

use std::collections::BTreeSet;

use anyhow::{Result, ensure};

use super::{Template, named, number, plain};

/// Executions that all enabled event sources can take together.
fn concurrent_executions(parameters: &[(&str, &str)]) -> Result<u64> {
    let mut sum = 0;
    for (id, source) in Template::deployed(parameters)?.of_type("AWS::Lambda::EventSourceMapping") {
        let most = number(&source["ScalingConfig"]["MaximumConcurrency"])?;
        ensure!(most >= 2, "{id}: the minimum of SQS is 2");
        if plain(&source["Enabled"]) == "true" {
            sum += most;
        }
    }
    Ok(sum)
}

#[test]
#[ignore = "needs the local stack (cargo dev test)"]
fn new_account_keeps_executions_for_site() -> Result<()> {
    // A new account has 10: two are for the site and the schedules.
    let most = concurrent_executions(&[])?;
    ensure!((4..=8).contains(&most), "the queues take {most} executions");
    let raised =
        [("SmallQuota", "false"), ("VerifyConcurrency", "3"), ("WriteConcurrency", "10"), ("NotifyConcurrency", "4")];
    let most = concurrent_executions(&raised)?;
    ensure!(most == 24, "the queues take {most} executions");
    ensure!(concurrent_executions(&[("QueuesEnabled", "false")])? == 0);
    Ok(())
}

/// A queue without an event source is handled on a schedule.
#[test]
#[ignore = "needs the local stack (cargo dev test)"]
fn every_queue_has_a_reader() -> Result<()> {
    for small in ["true", "false"] {
        let template = Template::deployed(&[("SmallQuota", small)])?;
        let mut read = BTreeSet::new();
        for (_, source) in template.of_type("AWS::Lambda::EventSourceMapping") {
            if plain(&source["Enabled"]) == "true" {
                read.insert(named(&source["EventSourceArn"])?.to_owned());
            }
        }
        let rule = template.properties("CollectFailures")?;
        ensure!((plain(&rule["State"]) == "ENABLED") == (small == "true"), "{rule:#}");
        ensure!(read.contains(named(&rule["Targets"][0]["Arn"])?), "{rule:#}");
        let function = template.properties("WriteAliases")?;
        let collected = &function["Environment"]["Variables"]["COLLECTED_QUEUE_ARNS"];
        // Text such as `${DeliveryFailureQueue.Arn},${GrantQueue.Arn}`.
        for name in plain(collected).split(['$', '{', '}', ',']).filter_map(|part| part.strip_suffix(".Arn")) {
            ensure!(read.insert(name.to_owned()), "{name} is read twice");
        }
        let queues = template.of_type("AWS::SQS::Queue").into_iter();
        let queues: BTreeSet<_> =
            queues.map(|(id, _)| id.to_owned()).filter(|id| !id.ends_with("DeadLetters")).collect();
        ensure!(read == queues, "SmallQuota={small}: {read:?}");
        // Grants go to a queue that is read at once.
        let verify = template.properties("VerifyMember")?;
        let grants = named(&verify["Environment"]["Variables"]["GRANT_QUEUE_URL"])?.to_owned();
        ensure!(grants == if small == "true" { "WriteQueue" } else { "GrantQueue" }, "{grants}");
    }
    Ok(())
}
