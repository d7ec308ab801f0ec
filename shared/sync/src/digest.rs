//! What makes two plans take the same.

use membermail_core::lifecycle::Step;
use sha2::{Digest, Sha256};

/// Over the addresses that are taken and how; not over dates, which are others each day.
pub(crate) fn of_taken(steps: &[Step]) -> String {
    let mut hash = Sha256::new();
    for step in steps.iter().filter(|step| step.action.takes()) {
        hash.update(step.address.to_string());
        hash.update([0]);
        hash.update(step.version.to_be_bytes());
    }
    hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}
