//! The test mail host: Postfix, rspamd and `alias-map` in one folder and on loopback ports, next to any other
//! mail services of the machine, with a mail sink that receives the forwarded mail. The sink also receives notices.

pub mod install;
pub mod judge;
pub mod keys;
pub mod mailbox;
pub mod options;
pub mod page;
pub mod rig;
mod services;
mod setup;
pub mod sink;
mod system;

/// The folder of this crate.
fn here() -> std::path::PathBuf {
    membermail_toolbox::workspace().join("infra/dev/mail-host")
}
