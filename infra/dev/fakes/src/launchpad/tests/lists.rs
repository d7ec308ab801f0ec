//! Collections other than participants, and the WADL, for launchpadlib.

use membermail_core::clock::{Clock, SystemClock};

use super::{TEAM, all_names};
use crate::community::Seed;
use crate::testing::{start, start_with};

#[tokio::test]
async fn expired_membership_is_only_in_details() {
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
async fn devel_search_links_to_total() {
    let running = start().await;
    assert_eq!(running.json("/1.0/people?ws.op=find&text=%22member077%22").await["total_size"], 10);
    let path = "people?ws.op=find&text=pat&ws.size=60";
    let stable = running.json(&format!("/1.0/{path}")).await;
    let devel = running.json(&format!("/devel/{path}")).await;
    assert_eq!(stable["total_size"], 99);
    assert!(stable.get("total_size_link").is_none() && devel.get("total_size").is_none());
    assert_eq!(running.follow(&devel["total_size_link"]).await, 99);
    // launchpad.md, 5: the last page always has a total.
    assert_eq!(running.follow(&devel["next_collection_link"]).await["total_size"], 99);
}

#[tokio::test]
async fn wadl_has_root_of_the_fake() {
    let wadl = r##"<resources base="https://api.launchpad.test/1.0/"><x type="https://api.launchpad.test/1.0/#person"/></resources>"##;
    let running = start_with(Seed { people: 0, all_in: None, gitlab_members: 0, now: SystemClock.now() }, wadl).await;
    let request_wadl = async |path| {
        let request = running.request("GET", path).header("accept", "application/vnd.sun.wadl+xml");
        request.send().await.unwrap()
    };
    let root = &running.root;
    let expected = format!(r##"<resources base="{root}/1.0/"><x type="{root}/1.0/#person"/></resources>"##);
    assert_eq!(request_wadl("/1.0/").await.text().await.unwrap(), expected);
    assert_eq!(request_wadl("/devel/").await.status(), 406);
    assert_eq!(running.json("/1.0/").await["people_collection_link"], format!("{root}/1.0/people"));
}

/// launchpad.md, 5: all public teams of a person, direct and indirect.
#[tokio::test]
async fn super_teams_are_public_and_indirect() {
    let running = start().await;
    let teams = async |key: &str| all_names(&running, &format!("/devel/~{key}/super_teams")).await.0;
    assert_eq!(teams("bob").await, ["ubuntumembers", "ubuntu-translators", "ubuntu-translators-core"]);
    assert_eq!(teams("zoe").await, ["example-members"]);
    let sub_teams = all_names(&running, "/1.0/~ubuntumembers/sub_teams").await.0;
    assert_eq!(sub_teams, ["ubuntu-translators", "ubuntu-translators-core"]);
}
