//! The fuzz target; `cargo dev fuzz` runs it.
#![no_main]

use libfuzzer_sys::fuzz_target;

mod check;
// The files, not the crate: it would compile the AWS SDK into every build of the fuzzer.
#[allow(dead_code)]
#[path = "../../src/netstring.rs"]
mod netstring;
#[allow(dead_code)]
#[path = "../../src/protocol.rs"]
mod protocol;
#[allow(dead_code)]
#[path = "../../src/recipient.rs"]
mod recipient;

fuzz_target!(|input: &[u8]| check::socketmap(input));
