//! The language that a member chose for the pages and their mails.

use membermail_core::language::Language;
use membermail_core::member::MemberId;

use crate::error::StoreError;
use crate::table::{Store, Update, attribute};

impl Store {
    /// Stores a member's choice, which no later sign-in changes.
    pub async fn choose_language(&self, id: MemberId, language: &Language) -> Result<(), StoreError> {
        let update = Update::new().set("language", language.as_str()).set("language_chosen", attribute(&true)?);
        self.update_member(id, update).await
    }
}
