//! The configuration that `mail-host` renders from the example in docs/mail.md, checked by Postfix and rspamd.

#![expect(clippy::unwrap_used, reason = "a panic fails the test")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

const DOCS: &str = include_str!("../../../../docs/mail.md");

fn example() -> &'static str {
    DOCS.split("```toml\n").nth(1).unwrap().split("```").next().unwrap()
}

/// Runs the program with a description and an output folder.
fn mail_host(folder: &Path, description: &str) -> Output {
    let config = folder.join("mail-host.toml");
    fs::write(&config, description).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_mail-host"));
    command.arg("--config").arg(config).arg("--out").arg(folder.join("out")).output().unwrap()
}

/// The output of `postconf`, which must report no unknown or unused setting.
fn postconf(folder: &Path, what: &str) -> String {
    let output = Command::new("/usr/sbin/postconf").arg("-c").arg(folder.join("out")).arg(what).output().unwrap();
    let warnings = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && warnings.is_empty(), "{warnings}");
    String::from_utf8(output.stdout).unwrap()
}

#[rstest::rstest]
#[case::docs_example(&[], "smtp_tls_security_level = may")]
#[case::with_dane(&[("dnssec = false", "dnssec = true")], "smtp_dns_support_level = dnssec\n")]
#[case::port(
    &[("unix:/run/membermail/alias-map", "inet:127.0.0.1:2527")],
    "virtual_alias_maps = socketmap:inet:127.0.0.1:2527:alias"
)]
#[case::tls_with_dane(&[("dnssec = false", "dnssec = true")], "smtp_tls_mandatory_protocols = >=TLSv1.2")]
#[case::queue_lifetime(&[], "maximal_queue_lifetime = 5d")]
#[case::bounce_lifetime(&[], "bounce_queue_lifetime = 5d")]
#[ignore = "needs Postfix and rspamd (cargo dev test)"]
fn configuration_is_valid(#[case] changes: &[(&str, &str)], #[case] expected: &str) {
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
    for name in ["smtpd.conf", "membermail_arc.lua", "membermail_dmarc.lua", "membermail_headers_only.lua"] {
        assert!(folder.path().join("out").join(name).is_file(), "no {name}");
    }
    let conf = folder.path().join("out/rspamd.conf");
    // The scripts are not in their place.
    let out = format!("{}/out/membermail_", folder.path().display());
    fs::write(&conf, fs::read_to_string(&conf).unwrap().replace("/etc/rspamd/membermail_", &out)).unwrap();
    let mut test = Command::new("rspamadm");
    let output = test.args(["configtest", "-c"]).arg(conf).output().unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && stdout.contains("syntax OK"), "{stdout}{stderr}");
}

/// The check of [`postconf`] relies on this warning.
#[test]
#[ignore = "needs Postfix and rspamd (cargo dev test)"]
fn postconf_reports_unknown_setting() {
    let folder = tempfile::tempdir().unwrap();
    assert!(mail_host(folder.path(), example()).status.success());
    let main = folder.path().join("out/main.cf");
    fs::write(&main, fs::read_to_string(&main).unwrap() + "smtpd_no_such_thing = yes\n").unwrap();
    let output =
        Command::new("/usr/sbin/postconf").arg("-c").arg(folder.path().join("out")).arg("-n").output().unwrap();
    assert!(String::from_utf8_lossy(&output.stderr).contains("unused parameter: smtpd_no_such_thing"));
}

#[test]
fn aligned_name_writes_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let output = mail_host(folder.path(), &example().replace("back.forwards.example", "back.ubuntu.com"));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(
        !output.status.success() && stderr.contains("return-path-domain back.ubuntu.com belongs to ubuntu.com"),
        "{stderr}"
    );
    assert!(!folder.path().join("out").exists());
}
