//! The mail host: Postfix, postsrsd for the sender's address, rspamd to sign, and `alias-map` that knows whom mail is for.
//!
//! [`config`] holds its configuration, for production as for the tests; the rest runs one in a folder of its own, on
//! loopback, beside whatever else the machine does, and shows what arrived.

pub mod config;
pub mod follow;
pub mod inbox;
pub mod install;
pub mod mail_log;
pub mod page;
pub mod rig;

/// The folder of this crate.
fn here() -> std::path::PathBuf {
    membermail_toolbox::workspace().join("infra/postfix")
}
