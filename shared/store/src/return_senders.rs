//! Senders of forwarded mail that do not fit into a return-path address, sealed under the token of that address.

use membermail_core::random::Random;
use membermail_return_path::{Sender, StoredToken};
use serde::{Deserialize, Serialize};

use crate::error::StoreError;
use crate::keys;
use crate::sealing::{SealError, Sealed, Sealer};
use crate::table::{Store, Write};

/// The HKDF info of the key. Those of members are 32 random bytes.
const INFO: &[u8] = b"return-path/sender";

/// A sealed sender.
#[derive(Debug, Serialize, Deserialize)]
pub struct StoredSender {
    sender: Sealed,
}

impl StoredSender {
    /// Opens the sender that was stored under this token.
    pub fn open(&self, sealer: &Sealer, token: &StoredToken) -> Result<Sender, SealError> {
        let text = sealer.open_text(INFO, &associated_data(token), &self.sender)?;
        Sender::parse(&text).map_err(|_| SealError)
    }
}

/// A sealed sender cannot be moved to another token.
fn associated_data(token: &StoredToken) -> Vec<u8> {
    format!("membermail/1/return-path/{}", token.as_str()).into_bytes()
}

impl Store {
    /// Stores the sender that the token was made for, until the token expires. Idempotent: a token has one sender.
    pub async fn put_return_sender(
        &self,
        sealer: &Sealer,
        token: &StoredToken,
        sender: &Sender,
        random: &dyn Random,
    ) -> Result<(), StoreError> {
        let sender = sealer.seal_text(INFO, &associated_data(token), sender.expose(), random)?;
        let put = Write::put(&keys::return_sender(token), &StoredSender { sender })?.expires(token.expires());
        self.write(put).await.map(drop)
    }

    /// Loads the sender of a token. Whoever has the token has checked its time.
    pub async fn return_sender(&self, token: &StoredToken) -> Result<Option<StoredSender>, StoreError> {
        self.get(&keys::return_sender(token)).await
    }
}
