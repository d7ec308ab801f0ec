//! What the commands need beside cargo.

use anyhow::Result;
use membermail_toolbox::apt::{self, Needed};
use membermail_toolbox::step;

/// A browser for the tests that look at pages as a person does.
const BROWSER: [Needed<'_>; 2] = [
    Needed { programs: &CHROMIUM, package: "chromium" },
    Needed { programs: &["chromedriver"], package: "chromium-driver" },
];

/// Names of Chromium.
pub(crate) const CHROMIUM: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

/// A name server for the tests of domains.
const DNS: [Needed<'_>; 1] = [Needed { programs: &["knotd"], package: "knot" }];

/// Installs everything; instant when it is there.
pub(crate) fn install() -> Result<()> {
    membermail_localstack::install()
}

/// Installs a browser and its driver.
pub(crate) fn install_browser() -> Result<()> {
    step::during("have a browser", || apt::install(&BROWSER))
}

/// Installs a name server; it runs where a test starts it only.
pub(crate) fn install_dns() -> Result<()> {
    step::during("have a name server", || apt::install(&DNS))
}
