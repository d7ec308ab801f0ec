//! The maps of envelope senders and return-path addresses.

use membermail_return_path::{Opened, Sender, SenderError};

use crate::lookups::Lookups;
use crate::protocol::Reply;
use crate::refusal;
use crate::source::{LookupResult, Query, SourceError};

impl Lookups {
    /// Opens a return-path address. None if it is not valid.
    pub(crate) async fn open(&self, key: &str) -> Result<Option<Opened>, SourceError> {
        let opened = self.return_paths.open(&*self.source, key, self.clock.now()).await?;
        Ok(opened.map(|(_, opened)| opened))
    }

    /// The return-path address of a sender. A valid one stays as it is, because a destination that forwards can keep it.
    pub(crate) async fn return_path(&self, key: &str) -> Result<Reply, SourceError> {
        let Ok(sender) = Sender::parse(key) else { return Ok(Reply::NotFound) };
        if self.return_paths.has(key) && self.open(key).await?.is_some() {
            return Ok(Reply::NotFound);
        }
        let derived = self.return_paths.current(&*self.source).await?;
        let address = derived.return_path.for_sender(&sender, self.clock.now());
        if let Some(token) = address.stored_token() {
            // Before the mail leaves: without the sender, its bounces would be lost.
            self.cache.lookup(&Query::StoreSender(token.clone(), sender)).await?;
        }
        Ok(Reply::Ok(address.expose().to_owned()))
    }

    /// The sender that a return-path address was made for, or `notice=` and the id of the member to whom we wrote.
    pub(crate) async fn original_sender(&self, key: &str) -> Result<Reply, SourceError> {
        if !self.return_paths.has(key) {
            return Ok(Reply::NotFound);
        }
        let opened = self.return_paths.open(&*self.source, key, self.clock.now()).await?;
        Ok(match opened {
            None => Reply::NotFound,
            Some((_, Opened::Sender(sender))) => Reply::Ok(sender.expose().to_owned()),
            Some((_, Opened::Notice(member))) => Reply::Ok(format!("notice={member}")),
            Some((derived, Opened::Stored(token))) => {
                match &*self.cache.lookup(&Query::ReturnSender(token.clone())).await? {
                    LookupResult::Sender(sender) if derived.return_path.is_token_of(&token, sender) => {
                        Reply::Ok(sender.expose().to_owned())
                    }
                    LookupResult::Sender(_) => {
                        return Err(SourceError::Broken("the token belongs to another sender".to_owned()));
                    }
                    _ => Reply::NotFound,
                }
            }
        })
    }

    /// The refusal of a sender that we could not send a bounce to.
    pub(crate) async fn sender(&self, key: &str) -> Result<Reply, SourceError> {
        if self.return_paths.has(key) {
            let is_valid = self.open(key).await?.is_some();
            return Ok(if is_valid { Reply::NotFound } else { Reply::Ok(refusal::FORGED_RETURN_PATH.to_owned()) });
        }
        // The null sender.
        if key == "<>" {
            return Ok(Reply::NotFound);
        }
        Ok(match Sender::parse(key) {
            Err(SenderError::TooLong | SenderError::Character) => Reply::Ok(refusal::UNUSABLE_SENDER.to_owned()),
            // A key without an address, such as a domain.
            Ok(_) | Err(SenderError::NoAddress) => Reply::NotFound,
        })
    }
}
