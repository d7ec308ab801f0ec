//! What the commands need beside cargo.

use anyhow::Result;
use membermail_toolbox::apt::{self, Needed};
use membermail_toolbox::{folder, npm, step, workspace};

/// A browser for the tests that look at pages as a person does.
const BROWSER: [Needed<'_>; 2] = [
    Needed { programs: &CHROMIUM, package: "chromium" },
    Needed { programs: &["chromedriver"], package: "chromium-driver" },
];

/// Names of Chromium.
pub(crate) const CHROMIUM: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

/// Installs everything; instant when it is there.
pub(crate) fn install() -> Result<()> {
    membermail_localstack::install()
}

/// Installs a browser, its driver, and what looks at pages in it.
pub(crate) fn install_browser() -> Result<()> {
    step::during("have a browser", || apt::install(&BROWSER))?;
    npm::ci(&workspace().join("infra/dev/locks/browser"), &folder().join("browser"))
}
