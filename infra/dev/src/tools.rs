//! What the commands need beside cargo.

use std::path::PathBuf;

use anyhow::Result;
use membermail_toolbox::apt::{self, Needed};
use membermail_toolbox::{folder, npm, python, step, workspace};

/// A browser for the tests that look at pages as a person does.
const BROWSER: [Needed<'_>; 2] = [
    Needed { programs: &CHROMIUM, package: "chromium" },
    Needed { programs: &["chromedriver"], package: "chromium-driver" },
];

/// Names of Chromium.
pub(crate) const CHROMIUM: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

/// Installs everything; instant when it is there.
pub(crate) fn install() -> Result<()> {
    membermail_localstack::install()?;
    crate::mail::install()
}

/// Installs a browser and its driver.
pub(crate) fn install_browser() -> Result<()> {
    step::during("have a browser", || apt::install(&BROWSER))
}

/// Where the tests find what nobody here wrote.
pub(crate) struct Peers {
    /// A Python that has `tests/peers/python.txt`.
    pub(crate) python: PathBuf,
    /// Node's packages of `tests/peers/package-lock.json`.
    pub(crate) node_modules: PathBuf,
}

/// Installs the programs that the tests let the site speak with.
pub(crate) fn install_peers() -> Result<Peers> {
    let (locks, node) = (workspace().join("tests/peers"), folder().join("peers-node"));
    python::install_apart("peers", "python3-openid and launchpadlib", &locks.join("python.txt"))?;
    npm::ci(&locks, &node)?;
    Ok(Peers { python: python::program_apart("peers", "python"), node_modules: node.join("node_modules") })
}
