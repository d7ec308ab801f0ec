//! The unit that the server runs as on a mail host, as systemd itself judges it.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// Tenths of systemd's scale of exposure, 0 to 100. What is left is that it talks to AWS and to Postfix.
const EXPOSURE: &str = "15";

#[test]
fn systemd_finds_it_well_locked_up() {
    let unit = Path::new(env!("CARGO_MANIFEST_DIR")).join("membermail-alias-map.service");
    let mut analyze = Command::new("systemd-analyze");
    analyze.args(["security", "--no-pager", "--offline=yes", "--threshold", EXPOSURE]).arg(unit);
    let output = analyze.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said} {}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn systemd_knows_every_line_of_it() {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("membermail-alias-map.service"));
    // The program is not installed here; another stands in its place.
    let text = text.unwrap().replace("/usr/local/bin/membermail-alias-map", "/bin/true");
    let folder = tempfile::tempdir().unwrap();
    let unit = folder.path().join("membermail-alias-map.service");
    std::fs::write(&unit, text).unwrap();
    let output = Command::new("systemd-analyze").args(["verify", "--man=no"]).arg(&unit).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && !said.contains("membermail-alias-map"), "{said}");
}

/// `systemctl reload` right after a start: it reads the settings once more later, and does not end.
#[test]
fn a_reload_while_it_starts_does_not_end_it() {
    let folder = tempfile::tempdir().unwrap();
    let settings = folder.path().join("alias-map.toml");
    // It waits there for somebody who writes, and so is at its start for as long as we like.
    assert!(Command::new("mkfifo").arg(&settings).status().unwrap().success());
    let mut command = Command::new(env!("CARGO_BIN_EXE_membermail-alias-map"));
    let started = command.arg("--check").arg("--config").arg(&settings).stdout(Stdio::piped()).spawn().unwrap();
    let mut writer = std::fs::File::options().write(true).open(&settings).unwrap();
    kill(Pid::from_raw(i32::try_from(started.id()).unwrap()), Signal::SIGHUP).unwrap();
    std::thread::sleep(std::time::Duration::from_millis(100));
    // Where it has ended, nobody reads.
    let _ = writer.write_all(include_bytes!("../alias-map.example.toml"));
    drop(writer);
    let output = started.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("the settings are good"), "{} {said}", output.status);
}
