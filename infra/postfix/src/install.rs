//! The programs of a mail host and of its tests, fetched once.

use std::path::PathBuf;

use anyhow::Result;
use membermail_toolbox::apt::{self, Needed};
use membermail_toolbox::{folder, python, workspace};

use crate::here;

/// Programs that Debian has.
const NEEDED: [Needed<'_>; 3] = [
    Needed { programs: &["postfix", "/usr/sbin/postfix"], package: "postfix" },
    Needed { programs: &["postsrsd", "/usr/sbin/postsrsd"], package: "postsrsd" },
    Needed { programs: &["rspamd", "/usr/bin/rspamd"], package: "rspamd" },
];

/// Without it Postfix asks how the machine is connected and writes an `/etc/postfix/main.cf` for that.
const ANSWERS: &str = "postfix postfix/main_mailer_type select No configuration\n";

/// Installs what is missing. Nothing of the machine's own mail is touched, and no service starts.
pub fn install() -> Result<()> {
    apt::install_idle(&NEEDED, ANSWERS)?;
    let locks = here().join("locks");
    let uv = workspace().join("infra/localstack/locks/uv.txt");
    python::install_into("mail", "a mailbox and a reader of signatures", &uv, &[&locks.join("mail.txt")])
}

/// Python with the packages of the lock.
pub fn python() -> PathBuf {
    folder().join("mail/bin/python")
}
