//! The stand-in for Launchpad, browsed by Launchpad's own client, unpatched and not signed in.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use membermail_tests::peers::OwnStandIns;
use membermail_tests::stack::Stack;
use serde_json::{Value, json};

#[tokio::test]
async fn launchpadlib_reads_a_person_a_team_and_all_who_take_part() -> Result<()> {
    let stack = Stack::of_this_run()?;
    // Launchpad's description of its web service is in launchpadlib's own package.
    let wadl = stack.python("browse_launchpad.py", &["wadl"]).await?;
    let wadl = std::fs::read_to_string(wadl.trim()).with_context(|| format!("reading {wadl}"))?;
    let stand_ins = OwnStandIns::start(&wadl).await?;
    let arguments = [stand_ins.root.as_str(), "ubuntumembers", "alice", "victor"];
    let found: Value = serde_json::from_str(&stack.python("browse_launchpad.py", &arguments).await?)?;

    let alice = json!({
        "name": "alice", "is_team": false, "is_valid": true, "is_ubuntu_coc_signer": true, "time_zone": "UTC",
        "super_teams": ["kubuntu-members", "ubuntumembers"],
    });
    ensure!(found["person"] == alice, "{}", found["person"]);
    ensure!(found["team"] == json!({ "name": "ubuntumembers", "is_team": true, "owner": "ubuntu-admin" }));
    ensure!(found["found"] == json!(["alice"]), "{}", found["found"]);
    ensure!(found["stranger"].is_null(), "{}", found["stranger"]);

    let team = stand_ins.control("teams/ubuntumembers").await?;
    let names: Vec<_> = found["participants"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    ensure!(names.len() > 2 * 300, "too few for several pages: {}", names.len());
    ensure!(team["participants"] == names.len() && found["total"] == names.len(), "{team}");
    ensure!(names.iter().collect::<BTreeSet<_>>().len() == names.len(), "somebody is there twice");
    let teams = team["teams_among_participants"].as_u64().context("no number of teams")?;
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
    let pages = stand_ins.control("counts").await?["launchpad_kinds"]["participants"].clone();
    ensure!(pages.as_u64() > Some(3), "{pages} requests for participants");
    Ok(())
}
