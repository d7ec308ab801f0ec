//! The seeds of the fuzz target, and what it once found, replayed: a fault that was mended stays so.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where it stopped")]

use std::path::Path;

use membermail_alias_map::{netstring, protocol, recipient};

#[path = "../fuzz/fuzz_targets/check.rs"]
mod check;

#[test]
fn every_seed_passes_whole_and_cut_anywhere() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds");
    let mut count = 0;
    for seed in std::fs::read_dir(folder).unwrap() {
        let mut input = std::fs::read(seed.unwrap().path()).unwrap();
        for cut in 0..=u8::MAX {
            input[0] = cut;
            check::socketmap(&input);
        }
        count += 1;
    }
    assert!(count >= 10, "{count} seeds");
}
