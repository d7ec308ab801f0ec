//! The configuration of a test mail host.

use std::net::SocketAddr;
use std::path::PathBuf;

use membermail_alias_map::settings::MasterSecretSource;
use membermail_postfix::config::{Limits, QueueTimes};

/// Hostname of the mail host.
pub const HOSTNAME: &str = "mail.membermail.test";
/// Domain of return-path addresses.
pub const RETURN_PATH_DOMAIN: &str = "back.membermail.test";
/// Account that submits notices with a password.
pub const SUBMISSION_USER: &str = "notices";
/// Envelope sender that the account may use, for the Ubuntu community.
pub const SUBMISSION_SENDER: &str = "noreply@ubuntu.com";
/// Client address that may submit notices without a password.
pub const SUBMISSION_CLIENT: &str = "127.0.0.2";
/// User that runs `membermail-bounce`. A production host has one of its own.
pub const BOUNCE_USER: &str = "nobody";
/// DKIM selector of the signing key.
pub const SELECTOR: &str = "test";
/// Maximum size of a mail at the destination. Lower than Postfix's limit, so that only the destination refuses some mails.
pub const MAX_MAIL_BYTES: usize = 1_000_000;

/// Options of a test mail host.
#[derive(Clone, Debug)]
pub struct Options {
    /// Folder of all files; emptied at the start.
    pub folder: PathBuf,
    /// Path of the program `membermail-alias-map`.
    pub alias_map: PathBuf,
    /// Path of the program `membermail-bounce`.
    pub bounce: PathBuf,
    /// Queue of failed deliveries; they are not reported if absent.
    pub failure_queue: Option<String>,
    /// Lifetimes of mail, if they are not the usual ones.
    pub queue_times: Option<QueueTimes>,
    /// `AWS_ENDPOINT_URL` of `alias-map`.
    pub endpoint_url: String,
    /// Name of the DynamoDB table.
    pub table: String,
    /// Location of the master secret.
    pub master_secret: MasterSecretSource,
    /// Id of the community.
    pub community: String,
    /// Further settings of `alias-map`, as lines of TOML.
    pub settings: String,
    /// Operators' address, for role mail of domains without an admin.
    pub operators: String,
    /// Whether rspamd signs mail. Without DNS, this delays each mail a little.
    pub signing: bool,
    /// DNS resolver of rspamd; none answers if absent.
    pub resolver: Option<SocketAddr>,
    /// Sizes and rates; load tests need higher ones.
    pub limits: Limits,
    /// Whether clients may set their address with `XCLIENT`, so that tests can connect from elsewhere.
    pub xclient: bool,
    /// Whether mail of loopback clients is checked and sealed like mail from the internet.
    pub checks_loopback: bool,
    /// Parameters of `main.cf` that differ, as `NAME = VALUE`: mistakes for tests.
    pub main_cf: &'static [&'static str],
    /// Ports of Postfix and of the sink; free ports if absent.
    pub ports: Option<(u16, u16)>,
}
