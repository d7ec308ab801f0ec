//! The unit that the server runs as on a mail host, as systemd itself judges it.

use std::path::Path;
use std::process::Command;

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
