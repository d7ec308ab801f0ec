//! What a panic leaves in the log.

use std::env::{current_exe, var_os};
use std::process::Command;

use membermail_runtime::logs;

const CHILD: &str = "MEMBERMAIL_TEST_PANICS";

/// The hook concerns the whole process, so the test runs itself in another one.
#[test]
fn panic_is_logged_without_its_message() {
    if var_os(CHILD).is_some() {
        logs::init();
        let _request = logs::request_span("request-1").entered();
        panic!("no route to ada@example.org");
    }
    let mut child = Command::new(current_exe().unwrap());
    child
        .args(["panic_is_logged_without_its_message", "--exact", "--nocapture"])
        .env(CHILD, "1")
        .env_remove("LOG_LEVEL");
    let output = child.output().unwrap();
    assert!(!output.status.success());
    let written = [output.stdout, output.stderr].concat();
    let written = String::from_utf8(written).unwrap();
    let mut events = written.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let event = events.find(|event| event["message"] == "panicked").unwrap_or_else(|| panic!("{written}"));
    assert_eq!(event["level"], "ERROR");
    assert_eq!(event["span"]["request_id"], "request-1");
    assert!(event["at"].as_str().unwrap().contains("tests/panics.rs:"), "{event}");
    assert!(!written.contains("ada@example.org"), "{written}");
}
