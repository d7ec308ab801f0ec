//! `cargo dev fuzz`: fuzzes the protocol parser of alias-map with libFuzzer, on the stable compiler.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use membermail_toolbox::apt::{self, Requirement};
use membermail_toolbox::{step, workspace};

/// A C++ compiler, for libFuzzer.
const COMPILER: Requirement<'_> = Requirement { programs: &["c++", "g++", "clang++"], package: "g++" };

/// Compiler flags for edge coverage and traced comparisons, as cargo-fuzz sets them.
const COVERAGE: &str = "--cfg fuzzing -Cpasses=sancov-module -Ccodegen-units=1 -Cdebug-assertions \
                        -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
                        -Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares \
                        -Cllvm-args=-simplifycfg-branch-fold-threshold=0";

/// Options of `cargo dev fuzz`.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Duration in seconds
    #[arg(long, default_value_t = 60)]
    seconds: u32,
}

/// Builds and runs the fuzz target on its seeds. New inputs go to `corpus` (ignored by git); a crash fails the command
/// and leaves its input in `artifacts`.
pub(crate) fn fuzz(options: &Options) -> Result<()> {
    ensure!(options.seconds > 0, "--seconds must be at least 1");
    apt::install(&[COMPILER])?;
    let here = workspace().join("infra/mail-host/alias-map/fuzz");
    for folder in ["corpus", "artifacts"] {
        fs::create_dir_all(here.join(folder)).with_context(|| format!("cannot create {folder}"))?;
    }
    // With an explicit target, cargo applies RUSTFLAGS to the target only and not to build scripts.
    let mut rustc = Command::new("rustc");
    let target = step::capture(rustc.current_dir(&here).args(["--print", "host-tuple"]))?.trim().to_owned();
    let mut cargo = Command::new("cargo");
    cargo.current_dir(&here).env("RUSTFLAGS", COVERAGE).env_remove("CARGO_TARGET_DIR");
    step::run_attached(cargo.args(["build", "--quiet", "--release", "--target", &target]))?;
    let mut fuzzer = Command::new(here.join("target").join(target).join("release/socketmap"));
    fuzzer.current_dir(&here).arg(format!("-max_total_time={}", options.seconds));
    fuzzer.args(["-max_len=12000", "-timeout=5", "-rss_limit_mb=1024", "-print_final_stats=1"]);
    step::run_attached(fuzzer.args(["-artifact_prefix=artifacts/", "corpus", "seeds"]))
}
