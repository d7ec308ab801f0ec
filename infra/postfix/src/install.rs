//! The programs of a mail host and of its tests, fetched once.

use std::path::PathBuf;

use anyhow::Result;
use membermail_toolbox::apt::{self, Needed};
use membermail_toolbox::python;

use crate::here;

/// Programs that Debian has.
const NEEDED: [Needed<'_>; 6] = [
    Needed { programs: &["postfix", "/usr/sbin/postfix"], package: "postfix" },
    Needed { programs: &["postsrsd", "/usr/sbin/postsrsd"], package: "postsrsd" },
    Needed { programs: &["rspamd", "/usr/bin/rspamd"], package: "rspamd" },
    // Passwords for the submission port: what sets them, and what reads them for Postfix.
    Needed { programs: &["saslpasswd2"], package: "sasl2-bin" },
    Needed { programs: &PLAIN, package: "libsasl2-modules" },
    // Judges alias-map's unit in a test; nothing is started by it.
    Needed { programs: &["systemd-analyze"], package: "systemd" },
];

/// Where Debian has the mechanism, by architecture.
const PLAIN: [&str; 2] =
    ["/usr/lib/x86_64-linux-gnu/sasl2/libplain.so", "/usr/lib/aarch64-linux-gnu/sasl2/libplain.so"];

/// Without it Postfix asks how the machine is connected and writes an `/etc/postfix/main.cf` for that.
const ANSWERS: &str = "postfix postfix/main_mailer_type select No configuration\n";

/// Installs what is missing, after the tools that all commands share. Nothing of the machine's own mail is touched, and no service starts.
pub fn install() -> Result<()> {
    apt::install_answered(&NEEDED, ANSWERS)?;
    python::install_apart("mail", "a mailbox and a reader of signatures", &here().join("locks/mail.txt"))
}

/// Python with the packages of the lock.
pub fn python() -> PathBuf {
    python::program_apart("mail", "python")
}
