//! Replays the seeds and past findings of the fuzz target as regression tests.

#![expect(clippy::unwrap_used, reason = "a panic fails the test")]

use std::path::Path;

#[path = "../../fuzz/fuzz_targets/check.rs"]
mod check;

#[test]
fn every_seed_passes_at_any_split() {
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
