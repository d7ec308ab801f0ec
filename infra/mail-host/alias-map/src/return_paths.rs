//! The keys of return-path addresses.

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use jiff::Timestamp;
use membermail_core::address::DomainName;
use membermail_core::master::MasterKeys;
use membermail_return_path::{Opened, ReturnPath};

use crate::source::{Source, SourceError};

/// The keys of return-path addresses, derived once for each master secret.
pub(crate) struct ReturnPaths {
    domain: DomainName,
    derived: ArcSwapOption<Derived>,
}

/// The keys of one master secret.
pub(crate) struct Derived {
    keys: MasterKeys,
    pub(crate) return_path: ReturnPath,
}

impl ReturnPaths {
    pub(crate) fn new(domain: DomainName) -> Self {
        Self { domain, derived: ArcSwapOption::empty() }
    }

    fn derive(&self, keys: MasterKeys) -> Arc<Derived> {
        if let Some(derived) = self.derived.load_full().filter(|derived| derived.keys == keys) {
            return derived;
        }
        let derived = Arc::new(Derived { return_path: ReturnPath::new(&keys, self.domain.clone()), keys });
        self.derived.store(Some(Arc::clone(&derived)));
        derived
    }

    pub(crate) async fn current(&self, source: &dyn Source) -> Result<Arc<Derived>, SourceError> {
        Ok(self.derive(source.keys().await?))
    }

    /// Opens an address in the return-path domain, after a key rotation with newer keys. None if it is not valid.
    pub(crate) async fn open(
        &self,
        source: &dyn Source,
        address: &str,
        now: Timestamp,
    ) -> Result<Option<(Arc<Derived>, Opened)>, SourceError> {
        let current = self.current(source).await?;
        if let Ok(opened) = current.return_path.open(address, now) {
            return Ok(Some((current, opened)));
        }
        let Some(newer) = source.newer_keys(&current.keys).await? else { return Ok(None) };
        let newer = self.derive(newer);
        Ok(newer.return_path.open(address, now).ok().map(|opened| (newer, opened)))
    }

    /// Whether the key is an address in the return-path domain. Other keys need no master secret.
    pub(crate) fn has(&self, key: &str) -> bool {
        key.rsplit_once('@').is_some_and(|(_, domain)| domain.eq_ignore_ascii_case(self.domain.as_str()))
    }
}
