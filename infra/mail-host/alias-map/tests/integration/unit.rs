//! The systemd units of the mail host, checked by systemd.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// Maximum exposure on systemd's scale of 0 to 100. The rest is network access to AWS and Postfix.
const EXPOSURE: &str = "15";

#[rstest::rstest]
#[case::alias_map("membermail-alias-map.service", EXPOSURE)]
// It reads the journal as a member of its group, which PrivateUsers would hide.
#[case::canary("../canary/membermail-canary.service", "20")]
#[ignore = "needs systemd-analyze (cargo dev test)"]
fn unit_exposure_is_low(#[case] unit: &str, #[case] exposure: &str) {
    let unit = Path::new(env!("CARGO_MANIFEST_DIR")).join(unit);
    let mut analyze = Command::new("systemd-analyze");
    analyze.args(["security", "--no-pager", "--offline=yes", "--threshold", exposure]).arg(unit);
    let output = analyze.output().unwrap();
    let output_text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{output_text} {}", String::from_utf8_lossy(&output.stderr));
}

#[rstest::rstest]
#[case::alias_map(&["membermail-alias-map.service"])]
#[case::canary(&["../canary/membermail-canary.service", "../canary/membermail-canary.timer"])]
#[ignore = "needs systemd-analyze (cargo dev test)"]
fn unit_has_no_unknown_settings(#[case] units: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let copies = units.iter().map(|unit| {
        let unit = Path::new(env!("CARGO_MANIFEST_DIR")).join(unit);
        // The programs are not installed here.
        let text = std::fs::read_to_string(&unit).unwrap();
        let text = text.replace("/usr/local/bin/membermail-alias-map", "/bin/true");
        let copy = folder.path().join(unit.file_name().unwrap());
        std::fs::write(&copy, text).unwrap();
        copy
    });
    let copies: Vec<_> = copies.collect();
    let output = Command::new("systemd-analyze").args(["verify", "--man=no"]).args(&copies).output().unwrap();
    let output_text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && !output_text.contains("membermail-"), "{output_text}");
}

/// `systemctl reload` right after a start.
#[test]
fn reload_during_startup_is_survived() {
    let folder = tempfile::tempdir().unwrap();
    let settings = folder.path().join("alias-map.toml");
    // Reading a FIFO blocks until a writer comes, which keeps the server in its startup.
    assert!(Command::new("mkfifo").arg(&settings).status().unwrap().success());
    let mut command = Command::new(env!("CARGO_BIN_EXE_membermail-alias-map"));
    let started = command.arg("--check").arg("--config").arg(&settings).stdout(Stdio::piped()).spawn().unwrap();
    let mut writer = std::fs::File::options().write(true).open(&settings).unwrap();
    kill(Pid::from_raw(i32::try_from(started.id()).unwrap()), Signal::SIGHUP).unwrap();
    std::thread::sleep(std::time::Duration::from_millis(100));
    // Fails if the process has ended, which is asserted below.
    let _ = writer.write_all(include_bytes!("../../alias-map.example.toml"));
    drop(writer);
    let output = started.wait_with_output().unwrap();
    let output_text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && output_text.contains("The settings are valid"),
        "{} {output_text}",
        output.status
    );
}
