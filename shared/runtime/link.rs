//! Build script of the functions: links the shipped program without unwind tables.
//!
//! The release profile aborts on panic, so only backtraces would read these tables, and they are a tenth of a zipped
//! function. `docs/decisions/0017-abort-on-panic.md` has the reasons.

use std::env;
use std::path::PathBuf;

fn main() {
    let is = |name: &str, value: &str| env::var(name).is_ok_and(|found| found == value);
    // The release profile. `CARGO_CFG_PANIC` does not know the profile's panic strategy.
    let is_shipped = is("OPT_LEVEL", "z") && is("CARGO_CFG_TARGET_OS", "linux");
    let package = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from).unwrap_or_default();
    let script = package.join("../../shared/runtime/no-unwind-tables.ld");
    println!("cargo::rerun-if-changed={}", script.display());
    if is_shipped {
        println!("cargo::rustc-link-arg-bins=-Wl,-T,{}", script.display());
    }
}
