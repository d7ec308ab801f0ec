//! The web service, asked over HTTP.

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

/// Names of the entries of all pages from here on, and how many pages there were.
async fn all_names(running: &Running, path: &str) -> (Vec<String>, usize) {
    let (mut page, mut pages, mut names) = (running.json(path).await, 1, Vec::new());
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

/// An example of the sheet, with the address of the fake.
fn example(text: &str, running: &Running) -> Value {
    serde_json::from_str(&text.replace("https://api.launchpad.net", &running.root)).unwrap()
}
