//! The master secret, from which every key is derived. During a key rotation there are two.

use std::fmt;
use std::sync::Arc;

use zeroize::Zeroizing;

/// The current master secret, and the previous one during a key rotation.
#[derive(Clone, PartialEq, Eq)]
pub struct MasterKeys {
    current: Arc<Zeroizing<Vec<u8>>>,
    previous: Option<Arc<Zeroizing<Vec<u8>>>>,
}

impl MasterKeys {
    /// Wraps the secrets.
    pub fn new(current: Zeroizing<Vec<u8>>, previous: Option<Zeroizing<Vec<u8>>>) -> Self {
        Self { current: Arc::new(current), previous: previous.map(Arc::new) }
    }

    /// The secret that seals and signs.
    pub fn current(&self) -> &[u8] {
        &self.current
    }

    /// The secret that still opens and verifies.
    pub fn previous(&self) -> Option<&[u8]> {
        self.previous.as_ref().map(|bytes| bytes.as_slice())
    }

    /// All secrets that open and verify, the current one first.
    pub fn each(&self) -> impl Iterator<Item = &[u8]> {
        std::iter::once(self.current()).chain(self.previous())
    }
}

impl fmt::Debug for MasterKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKeys([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn current_secret_is_first_and_redacted() {
        let new = Zeroizing::new(b"new".to_vec());
        let both = MasterKeys::new(new.clone(), Some(Zeroizing::new(b"old".to_vec())));
        assert_eq!(both.each().collect::<Vec<_>>(), [b"new", b"old"]);
        assert_eq!(MasterKeys::new(new, None).each().count(), 1);
        assert_eq!(format!("{both:?}"), "MasterKeys([redacted])");
    }
}
