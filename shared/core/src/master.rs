//! The master secret: what every key is derived from. While it is being changed there are two.

use std::fmt;
use std::sync::Arc;

use zeroize::Zeroizing;

/// The master secret of now, and the one before it where that is needed still.
#[derive(Clone, PartialEq, Eq)]
pub struct MasterKeys {
    current: Arc<Zeroizing<Vec<u8>>>,
    previous: Option<Arc<Zeroizing<Vec<u8>>>>,
}

impl MasterKeys {
    /// Of these bytes.
    pub fn new(current: Zeroizing<Vec<u8>>, previous: Option<Zeroizing<Vec<u8>>>) -> Self {
        Self { current: Arc::new(current), previous: previous.map(Arc::new) }
    }

    /// What seals and signs.
    pub fn current(&self) -> &[u8] {
        &self.current
    }

    /// What may open and verify still.
    pub fn previous(&self) -> Option<&[u8]> {
        self.previous.as_ref().map(|bytes| bytes.as_slice())
    }

    /// All that open and verify, the current one first.
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
    fn the_current_one_comes_first_and_none_prints_itself() {
        let of = |text: &str| Zeroizing::new(text.as_bytes().to_vec());
        let both = MasterKeys::new(of("new"), Some(of("old")));
        assert_eq!(both.each().collect::<Vec<_>>(), [b"new", b"old"]);
        assert_eq!(MasterKeys::new(of("new"), None).each().count(), 1);
        assert_eq!(format!("{both:?}"), "MasterKeys([redacted])");
    }
}
