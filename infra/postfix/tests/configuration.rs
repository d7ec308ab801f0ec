//! What `mail-host` writes of the example in docs/mail.md, as the programs that read it judge it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where it stopped")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

const DOCS: &str = include_str!("../../../docs/mail.md");

fn example() -> &'static str {
    DOCS.split("```toml\n").nth(1).unwrap().split("```").next().unwrap()
}

/// Runs the program on a description, into a folder.
fn mail_host(folder: &Path, description: &str) -> Output {
    let config = folder.join("mail-host.toml");
    fs::write(&config, description).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_mail-host"));
    command.arg("--config").arg(config).arg("--out").arg(folder.join("out")).output().unwrap()
}

/// What Postfix makes of it, without a word on lines that it does not know or use.
fn postconf(folder: &Path, what: &str) -> String {
    let output = Command::new("/usr/sbin/postconf").arg("-c").arg(folder.join("out")).arg(what).output().unwrap();
    let complaints = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && complaints.is_empty(), "{complaints}");
    String::from_utf8(output.stdout).unwrap()
}

#[rstest::rstest]
#[case::of_the_docs(&[], "smtp_tls_security_level = may")]
#[case::with_dane(&[("dnssec = false", "dnssec = true")], "smtp_dns_support_level = dnssec\nsmtp_tls_CApath")]
#[case::with_a_socket(
    &[("inet:127.0.0.1:2527", "unix:/run/membermail/alias-map")],
    "virtual_alias_maps = socketmap:unix:/run/membermail/alias-map:alias"
)]
fn those_who_read_it_have_nothing_to_say(#[case] changes: &[(&str, &str)], #[case] expected: &str) {
    let folder = tempfile::tempdir().unwrap();
    let mut description = example().to_owned();
    for (from, to) in changes {
        assert!(description.contains(from));
        description = description.replace(from, to);
    }
    let output = mail_host(folder.path(), &description);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let main = postconf(folder.path(), "-n");
    assert!(main.contains(expected), "{main}");
    let services = postconf(folder.path(), "-M");
    assert!(services.contains("cleanup_service_name=own") && services.contains("\nown "), "{services}");
    for name in ["postsrsd", "smtpd.conf"] {
        assert!(folder.path().join("out").join(name).is_file(), "no {name}");
    }
    let mut test = Command::new("rspamadm");
    let output = test.args(["configtest", "-c"]).arg(folder.path().join("out/rspamd.conf")).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("syntax OK"), "{said}{}", String::from_utf8_lossy(&output.stderr));
}

/// A line that Postfix does not know is told, so that silence is worth something.
#[test]
fn postconf_tells_of_a_line_that_is_none() {
    let folder = tempfile::tempdir().unwrap();
    assert!(mail_host(folder.path(), example()).status.success());
    let main = folder.path().join("out/main.cf");
    fs::write(&main, fs::read_to_string(&main).unwrap() + "smtpd_no_such_thing = yes\n").unwrap();
    let output =
        Command::new("/usr/sbin/postconf").arg("-c").arg(folder.path().join("out")).arg("-n").output().unwrap();
    assert!(String::from_utf8_lossy(&output.stderr).contains("unused parameter: smtpd_no_such_thing"));
}

#[test]
fn a_name_within_the_community_is_refused_and_nothing_written() {
    let folder = tempfile::tempdir().unwrap();
    let output = mail_host(folder.path(), &example().replace("srs.forwards.example", "srs.ubuntu.com"));
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && told.contains("srs-domain srs.ubuntu.com lies in ubuntu.com"), "{told}");
    assert!(!folder.path().join("out").exists());
}
