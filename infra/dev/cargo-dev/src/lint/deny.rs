//! Licences, banned crates, sources and advisories of dependencies: cargo-deny with the rules of `deny.toml`.

use anyhow::Result;
use membermail_toolbox::step;

use crate::tools;

/// Checks the dependency graph. Advisories are checked where the RustSec database can be fetched, which a machine without
/// access to GitHub cannot; the other rules need no network beyond that of cargo.
pub(crate) fn check() -> Result<()> {
    step::capture(tools::deny().args(["--locked", "check", "--hide-inclusion-graph", "bans", "licenses", "sources"]))?;
    if step::capture(tools::deny().args(["--locked", "fetch", "db"])).is_err() {
        eprintln!("  ! advisories are not checked: the RustSec database cannot be fetched from this machine");
        return Ok(());
    }
    // Offline: both the database and the crates have just been fetched.
    step::capture(tools::deny().args(["--locked", "--offline", "check", "advisories"])).map(drop)
}
