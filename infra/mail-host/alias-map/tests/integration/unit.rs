//! The systemd unit, checked by systemd.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// Maximum exposure on systemd's scale of 0 to 100. The rest is network access to AWS and Postfix.
const EXPOSURE: &str = "15";

#[test]
#[ignore = "needs systemd-analyze (cargo dev test)"]
fn unit_exposure_is_low() {
    let unit = Path::new(env!("CARGO_MANIFEST_DIR")).join("membermail-alias-map.service");
    let mut analyze = Command::new("systemd-analyze");
    analyze.args(["security", "--no-pager", "--offline=yes", "--threshold", EXPOSURE]).arg(unit);
    let output = analyze.output().unwrap();
    let output_text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{output_text} {}", String::from_utf8_lossy(&output.stderr));
}

#[test]
#[ignore = "needs systemd-analyze (cargo dev test)"]
fn unit_has_no_unknown_settings() {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("membermail-alias-map.service"));
    // The program is not installed here.
    let text = text.unwrap().replace("/usr/local/bin/membermail-alias-map", "/bin/true");
    let folder = tempfile::tempdir().unwrap();
    let unit = folder.path().join("membermail-alias-map.service");
    std::fs::write(&unit, text).unwrap();
    let output = Command::new("systemd-analyze").args(["verify", "--man=no"]).arg(&unit).output().unwrap();
    let output_text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && !output_text.contains("membermail-alias-map"), "{output_text}");
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
