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

/// Installs what builds, checks and deploys; instant when it is there. An emulator is installed by whoever starts it.
pub(crate) fn install() -> Result<()> {
    membermail_localstack::install_tools()
}

/// Installs a browser and its driver.
pub(crate) fn install_browser() -> Result<()> {
    step::during("have a browser", || apt::install(&BROWSER))
}
