//! Samples of bounces for tests. Each has the destination and the words of the other server in as many fields as possible.

use std::path::Path;

use crate::address::Mailbox;

/// The name of this host in the samples.
pub(crate) const HOST: &str = "mail.membermail.test";

/// What no sender may see: destination, its parts, the other server and its words.
pub(crate) const SECRETS: [&str; 4] = ["alice.home", "hidden-home", "hidden1", "secretwords"];

/// The names of the samples.
pub(crate) const SAMPLES: [&str; 15] = [
    "local-rejected",
    "local-expired",
    "local-delayed",
    "postfix",
    "exim",
    "exim-old",
    "qmail",
    "exchange",
    "exchange-old",
    "planted",
    "delayed",
    "success",
    "vacation",
    "read-receipt",
    "delay-warning",
];

/// A sample with the line ends of SMTP.
pub(crate) fn sample(name: &str) -> Vec<u8> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples").join(format!("{name}.eml"));
    std::fs::read_to_string(file).unwrap().replace('\n', "\r\n").into_bytes()
}

/// Fails if a text contains a secret in any case.
pub(crate) fn assert_no_secret(text: &str) {
    let lower = text.to_ascii_lowercase();
    for secret in SECRETS {
        assert!(!lower.contains(secret), "{secret} is in {text}");
    }
}

/// The sender of the original mail.
pub(crate) fn sender() -> Mailbox {
    Mailbox::parse("sender@elsewhere.example").unwrap()
}
