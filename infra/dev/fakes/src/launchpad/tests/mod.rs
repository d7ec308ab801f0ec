//! Tests of the web service over HTTP.

mod accounts;
mod entries;
mod errors;
mod faults;
mod identifiers;
mod lists;
mod pages;

use serde_json::Value;

use crate::testing::Running;

const TEAM: &str = "/1.0/~ubuntumembers/participants";

/// Names of the entries of this page and all following pages, and the number of pages.
async fn all_names(running: &Running, path: &str) -> (Vec<String>, usize) {
    let mut page = running.json(path).await;
    let mut pages = 1;
    let mut names = Vec::new();
    loop {
        names.extend(names_of(&page));
        if page["next_collection_link"].is_null() {
            return (names, pages);
        }
        page = running.follow(&page["next_collection_link"]).await;
        pages += 1;
    }
}

/// Names of the entries of a page.
fn names_of(page: &Value) -> Vec<String> {
    let entries = page["entries"].as_array().unwrap();
    entries.iter().map(|entry| entry["name"].as_str().unwrap().to_owned()).collect()
}

/// An example of launchpad.md, with the root URL of the fake.
fn example(text: &str, running: &Running) -> Value {
    serde_json::from_str(&text.replace("https://api.launchpad.net", &running.root)).unwrap()
}
