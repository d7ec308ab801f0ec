//! What the commands need beside cargo.

use std::path::PathBuf;
use std::process::Command;

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

/// A name server for the tests of domains.
const DNS: [Needed<'_>; 1] = [Needed { programs: &["knotd"], package: "knot" }];

/// Installs what builds, checks and deploys; instant when it is there. An emulator is installed by whoever starts it.
pub(crate) fn install() -> Result<()> {
    membermail_localstack::install_tools()?;
    crate::mailbox::install()
}

/// The virtual environment of the test runner: `cargo dev up` has no need of it.
const RUNNER: &str = "nextest";

/// Installs what runs tests.
pub(crate) fn install_runner() -> Result<()> {
    python::install_apart(RUNNER, "cargo-nextest", &workspace().join("infra/dev/locks/nextest.txt"))
}

/// It, as it is called: `cargo nextest` would be whichever this machine has, or none.
pub(crate) fn runner() -> Command {
    let mut nextest = Command::new(python::program_apart(RUNNER, "cargo-nextest"));
    nextest.current_dir(workspace()).arg("nextest");
    nextest
}

/// Installs a browser, its driver, and what looks at pages in it.
pub(crate) fn install_browser() -> Result<()> {
    step::during("have a browser", || apt::install(&BROWSER))?;
    npm::ci(&workspace().join("infra/dev/locks/browser"), &folder().join("browser"))
}

/// Where the tests find what nobody here wrote.
pub(crate) struct Peers {
    /// A Python that has `tests/peers/python.txt`.
    pub(crate) python: PathBuf,
    /// Node's packages of `tests/peers/package-lock.json`.
    pub(crate) node_modules: PathBuf,
}

/// Installs the programs that the tests let the site speak with.
pub(crate) fn install_peers() -> Result<()> {
    let locks = workspace().join("tests/peers");
    python::install_apart("peers", "python3-openid and launchpadlib", &locks.join("python.txt"))?;
    npm::ci(&locks, &folder().join("peers-node"))
}

/// Where they are.
pub(crate) fn peers() -> Peers {
    let node_modules = folder().join("peers-node/node_modules");
    Peers { python: python::program_apart("peers", "python"), node_modules }
}

/// Installs a name server; it runs where a test starts it only.
pub(crate) fn install_dns() -> Result<()> {
    step::during("have a name server", || apt::install(&DNS))
}
