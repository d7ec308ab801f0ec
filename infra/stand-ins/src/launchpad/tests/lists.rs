//! Lists other than participants, which launchpadlib browses.

use membermail_core::clock::{Clock, SystemClock};

use super::{TEAM, all_names};
use crate::community::Seed;
use crate::testing::{start, start_with};

#[tokio::test]
async fn expired_membership_shows_in_details_only() {
    let running = start().await;
    let details = running.json("/1.0/~victor/memberships_details").await;
    let [membership] = details["entries"].as_array().unwrap().as_slice() else { panic!("{details}") };
    assert_eq!(membership["status"], "Expired");
    assert!(membership["date_expires"].as_str().unwrap() > membership["date_joined"].as_str().unwrap());
    assert_eq!(running.follow(&membership["self_link"]).await, *membership);
    assert!(!all_names(&running, TEAM).await.0.contains(&"victor".to_owned()));
    assert_eq!(all_names(&running, "/1.0/~ubuntumembers/expired_members").await.0, ["victor"]);
    let members = running.json("/1.0/~ubuntumembers/members_details?ws.size=1").await;
    assert_eq!(members["entries"][0]["status"], "Approved");
}

#[tokio::test]
async fn search_links_to_total_under_devel() {
    let running = start().await;
    assert_eq!(running.json("/1.0/people?ws.op=find&text=%22member077%22").await["total_size"], 10);
    let path = "people?ws.op=find&text=pat&ws.size=60";
    let (old, new) = (running.json(&format!("/1.0/{path}")).await, running.json(&format!("/devel/{path}")).await);
    assert_eq!(old["total_size"], 99);
    assert!(old.get("total_size_link").is_none() && new.get("total_size").is_none());
    assert_eq!(running.follow(&new["total_size_link"]).await, 99);
    // launchpad.md, 5: never on a last page.
    assert_eq!(running.follow(&new["next_collection_link"]).await["total_size"], 99);
}

#[tokio::test]
async fn description_has_the_address_of_here() {
    let wadl = r##"<resources base="https://api.launchpad.test/1.0/"><x type="https://api.launchpad.test/1.0/#person"/></resources>"##;
    let running = start_with(Seed { people: 0, all_in: None, now: SystemClock.now() }, wadl).await;
    let ask = async |path| {
        let request = running.request("GET", path).header("accept", "application/vnd.sun.wadl+xml");
        request.send().await.unwrap()
    };
    let root = &running.root;
    let expected = format!(r##"<resources base="{root}/1.0/"><x type="{root}/1.0/#person"/></resources>"##);
    assert_eq!(ask("/1.0/").await.text().await.unwrap(), expected);
    assert_eq!(ask("/devel/").await.status(), 406);
    assert_eq!(running.json("/1.0/").await["people_collection_link"], format!("{root}/1.0/people"));
}

/// launchpad.md, 5: all public teams of one person, direct and indirect.
#[tokio::test]
async fn super_teams_are_public_and_indirect() {
    let running = start().await;
    let teams = async |key: &str| all_names(&running, &format!("/devel/~{key}/super_teams")).await.0;
    assert_eq!(teams("bob").await, ["ubuntumembers", "ubuntu-translators", "ubuntu-translators-core"]);
    assert_eq!(teams("zoe").await, ["example-members"]);
    let subs = all_names(&running, "/1.0/~ubuntumembers/sub_teams").await.0;
    assert_eq!(subs, ["ubuntu-translators", "ubuntu-translators-core"]);
}
