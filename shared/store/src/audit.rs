//! The audit log: entries are put once, in the transaction of the change that they tell of, and never again touched.

use aws_sdk_dynamodb::types::TransactWriteItem;
use membermail_core::address::DomainName;
use membermail_core::audit::Entry;

use crate::error::StoreError;
use crate::keys;
use crate::table::Store;

impl Store {
    /// The write of an entry, to go with the change.
    pub(crate) fn audit_write(&self, entry: &Entry) -> Result<TransactWriteItem, StoreError> {
        let key = keys::audit(entry.domain(), &keys::month(entry.at), &entry.id.to_string());
        let put = self.put(&key, entry)?.condition_expression("attribute_not_exists(pk)");
        Ok(TransactWriteItem::builder().put(put.build()?).build())
    }

    /// The entries of a domain in a month (`YYYY-MM`, in UTC), oldest first; without a domain, those of members.
    pub async fn audit(&self, domain: Option<&DomainName>, month: &str) -> Result<Vec<Entry>, StoreError> {
        self.list(&keys::audit(domain, month, "").pk, "").await
    }
}
