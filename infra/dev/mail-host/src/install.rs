//! Installs the programs of a mail host and of its tests.

use std::path::PathBuf;

use anyhow::Result;
use membermail_toolbox::apt::{self, Requirement};
use membermail_toolbox::python;

use crate::here;

/// Debian packages.
const REQUIREMENTS: [Requirement<'_>; 6] = [
    Requirement { programs: &["postfix", "/usr/sbin/postfix"], package: "postfix" },
    // A check with a repetition that `regexp` tables cannot have.
    Requirement { programs: &["/usr/lib/postfix/postfix-pcre.so"], package: "postfix-pcre" },
    Requirement { programs: &["rspamd", "/usr/bin/rspamd"], package: "rspamd" },
    // Passwords of the submission port: the command that sets them, and the SASL plugin.
    Requirement { programs: &["saslpasswd2"], package: "sasl2-bin" },
    Requirement { programs: &PLAIN, package: "libsasl2-modules" },
    // A test analyses the systemd unit of alias-map; no unit is started.
    Requirement { programs: &["systemd-analyze"], package: "systemd" },
];

/// The SASL plugin for PLAIN, by architecture.
const PLAIN: [&str; 2] =
    ["/usr/lib/x86_64-linux-gnu/sasl2/libplain.so", "/usr/lib/aarch64-linux-gnu/sasl2/libplain.so"];

/// Keeps the Debian package from asking for a configuration and writing `/etc/postfix/main.cf`.
const ANSWERS: &str = "postfix postfix/main_mailer_type select No configuration\n";

/// Installs missing programs; the shared tools must exist. Does not change the machine's own mail service or start one.
pub fn install() -> Result<()> {
    apt::install_preseeded(&REQUIREMENTS, ANSWERS)?;
    install_sink()
}

/// Installs aiosmtpd and dkimpy.
pub fn install_sink() -> Result<()> {
    python::install_isolated("mail", "an SMTP server and a DKIM verifier", &here().join("locks/mail.txt"))
}

/// Python with aiosmtpd and dkimpy.
pub fn python() -> PathBuf {
    python::isolated_program("mail", "python")
}
