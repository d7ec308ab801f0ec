//! Build script of the functions: links the shipped program without unwind tables.
//!
//! The release profile aborts on panic, so only backtraces would read these tables, and they are a tenth of a zipped
//! function. `docs/decisions/0017-abort-on-panic.md` has the reasons.

use std::env;

/// Each function compiles this file as its own build script, so the path begins at its package.
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/runtime/no-unwind-tables.ld");

fn main() {
    let is = |name: &str, value: &str| env::var(name).is_ok_and(|found| found == value);
    println!("cargo::rerun-if-changed={SCRIPT}");
    // The release profile. `CARGO_CFG_PANIC` does not know the profile's panic strategy.
    if is("OPT_LEVEL", "z") && is("CARGO_CFG_TARGET_OS", "linux") {
        println!("cargo::rustc-link-arg-bins=-Wl,-T,{SCRIPT}");
    }
}
