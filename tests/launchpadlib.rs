//! launchpadlib, Launchpad's own client, reads the fake of Launchpad unpatched and anonymously.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use membermail_tests::peers::OwnFakes;
use membermail_tests::stack::Stack;
use serde_json::{Value, json};

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn launchpadlib_reads_person_team_and_participants() -> Result<()> {
    let stack = Stack::of_this_run()?;
    // launchpadlib ships Launchpad's WADL.
    let wadl = stack.python("browse_launchpad.py", &["wadl"]).await?;
    let wadl = std::fs::read_to_string(wadl.trim()).with_context(|| format!("reading {wadl}"))?;
    let fakes = OwnFakes::start(&wadl).await?;
    let arguments = [fakes.root.as_str(), "ubuntumembers", "alice", "victor"];
    let found: Value = serde_json::from_str(&stack.python("browse_launchpad.py", &arguments).await?)?;

    let alice = json!({
        "name": "alice", "is_team": false, "is_valid": true, "is_ubuntu_coc_signer": true, "time_zone": "UTC",
        "super_teams": ["kubuntu-members", "ubuntumembers"],
    });
    ensure!(found["person"] == alice, "{}", found["person"]);
    ensure!(found["team"] == json!({ "name": "ubuntumembers", "is_team": true, "owner": "ubuntu-admin" }));
    ensure!(found["found"] == json!(["alice"]), "{}", found["found"]);
    ensure!(found["stranger"].is_null(), "{}", found["stranger"]);

    let team = fakes.control("teams/ubuntumembers").await?;
    let names: Vec<_> = found["participants"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    ensure!(names.len() > 2 * 300, "too few for several pages: {}", names.len());
    ensure!(team["participants"] == names.len() && found["total"] == names.len(), "{team}");
    ensure!(names.iter().collect::<BTreeSet<_>>().len() == names.len(), "somebody is there twice");
    let teams = team["teams"].as_u64().context("no number of teams")?;
    ensure!(found["people"].as_u64() == Some(names.len() as u64 - teams));
    ensure!(names.contains(&"bob") && !names.contains(&"victor"));
    ensure!(found["slice"] == json!(names[70..75]), "{}", found["slice"]);

    let [victor] = found["memberships"].as_array().context("no memberships")?.as_slice() else {
        anyhow::bail!("not one membership: {}", found["memberships"])
    };
    ensure!(victor["status"] == "Expired" && victor["team"] == "ubuntumembers", "{victor}");
    ensure!(victor["expires"].as_str() > victor["joined"].as_str());
    let details = found["members_details"].as_array().context("no details")?;
    ensure!(details.len() == 3 && details.iter().all(|one| one["status"] == "Approved"), "{details:?}");
    let pages = fakes.control("counts").await?["launchpad_kinds"]["participants"].clone();
    ensure!(pages.as_u64() > Some(3), "{pages} requests for participants");
    Ok(())
}
