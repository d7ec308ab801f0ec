//! The exit codes of the program. Postfix retries after 75 (sysexits.h) and gives a bounce up after any other but 0.

#![expect(clippy::unwrap_used, reason = "a panic fails the test")]

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// Runs the program with a bounce on its standard input.
fn run(arguments: &[&str], input: &[u8]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_membermail-bounce"));
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // It need not read its input.
    let _ = child.stdin.take().unwrap().write_all(input);
    child.wait_with_output().unwrap()
}

/// Settings with closed ports.
fn settings(folder: &Path) -> String {
    let file = folder.join("bounce.toml");
    let text = "host-name = \"mx.forwards.example\"\nalias-map = \"inet:127.0.0.1:1\"\nsubmit = \"127.0.0.1:1\"\n";
    fs::write(&file, text).unwrap();
    file.to_str().unwrap().to_owned()
}

#[rstest::rstest]
#[case::no_alias_map(&["--recipient", "token@srs.forwards.example"], 75)]
#[case::local(&["--local", "--recipient", "token@srs.forwards.example"], 75)]
#[case::no_address(&["--recipient", "<>"], 0)]
#[case::several_recipients(&["--recipient", "a@b.example", "c@d.example"], 75)]
#[case::no_recipient(&[], 75)]
#[case::unknown_option(&["--no-such-option"], 75)]
#[case::check(&["--check"], 0)]
fn bounce_never_bounces(#[case] arguments: &[&str], #[case] code: i32) {
    let folder = tempfile::tempdir().unwrap();
    let config = settings(folder.path());
    let output = run(&[&["--config", &config], arguments].concat(), &vec![b'x'; 1_000_000]);
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(code), "{stdout}");
    assert!(!stdout.contains('@'), "{stdout}");
}

#[test]
fn missing_settings_are_temporary() {
    let output = run(&["--config", "/no/such/file", "--recipient", "a@b.example"], b"");
    assert_eq!(output.status.code(), Some(75));
}
