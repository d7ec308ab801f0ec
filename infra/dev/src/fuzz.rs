//! `cargo dev fuzz`: libFuzzer on what alias-map reads from whoever connects, with the compiler that builds all the rest.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use membermail_toolbox::apt::{self, Needed};
use membermail_toolbox::{step, workspace};

use crate::functions::said;

/// libFuzzer is written in C++.
const COMPILER: Needed<'_> = Needed { programs: &["c++", "g++", "clang++"], package: "g++" };

/// What libFuzzer needs to see: which edges were taken, and what was compared with what. As cargo-fuzz asks for it.
const COVERAGE: &str = "--cfg fuzzing -Cpasses=sancov-module -Ccodegen-units=1 -Cdebug-assertions \
                        -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
                        -Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares \
                        -Cllvm-args=-simplifycfg-branch-fold-threshold=0";

/// How long.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Seconds
    #[arg(long, default_value_t = 60)]
    seconds: u32,
}

/// Builds the target and runs it from its seeds on; what it learns is kept in `corpus`, which git ignores. Fails where it
/// finds something, and says in which file of `artifacts` that is.
pub(crate) fn fuzz(options: &Options) -> Result<()> {
    ensure!(options.seconds > 0, "libFuzzer takes 0 for ever: --seconds says how long");
    apt::install(&[COMPILER])?;
    let here = workspace().join("infra/alias-map/fuzz");
    for folder in ["corpus", "artifacts"] {
        fs::create_dir_all(here.join(folder)).with_context(|| format!("making {folder}"))?;
    }
    // A target that is named is built with these flags alone, and what runs while it is built without them.
    let mut rustc = Command::new("rustc");
    let target = step::quietly(rustc.current_dir(&here).args(["--print", "host-tuple"]))?.trim().to_owned();
    let mut cargo = Command::new("cargo");
    cargo.current_dir(&here).env("RUSTFLAGS", COVERAGE).env_remove("CARGO_TARGET_DIR");
    said(cargo.args(["build", "--quiet", "--release", "--target", &target]))?;
    let mut fuzzer = Command::new(here.join("target").join(target).join("release/socketmap"));
    fuzzer.current_dir(&here).arg(format!("-max_total_time={}", options.seconds));
    fuzzer.args(["-max_len=12000", "-timeout=5", "-rss_limit_mb=1024", "-print_final_stats=1"]);
    said(fuzzer.args(["-artifact_prefix=artifacts/", "corpus", "seeds"]))
}
