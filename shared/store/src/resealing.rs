//! Key rotation, page by page: addresses that the previous master secret has sealed are resealed with the current one.

use std::collections::{BTreeSet, HashMap};

use membermail_core::member::MemberId;
use membermail_core::random::Random;
use serde::{Deserialize, Serialize};

use crate::destinations::StoredDestination;
use crate::error::StoreError;
use crate::keys::{self, Key};
use crate::members::Member;
use crate::sealing::{Field, KeyContext, SealError, Sealed, Sealer};
use crate::table::{Consistency, Cursor, Item, Scan, Store, TRIES, Update, Write, attribute, decode, path, pause};

/// Maximum members in [`SealedBy::neither`]: after the loss of a secret it would be all of them.
const NAMED: usize = 100;

/// The number of sealed addresses by master secret.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealedBy {
    /// Sealed by the current secret when they were read.
    pub current: u64,
    /// Sealed by the previous secret when they were read.
    pub previous: u64,
    /// Sealed by neither: these addresses cannot be opened.
    pub neither_count: u64,
    /// The first hundred of their members.
    pub neither: Vec<MemberId>,
}

impl SealedBy {
    /// Adds the counts of another part of the table.
    pub fn add(&mut self, other: Self) {
        self.current += other.current;
        self.previous += other.previous;
        self.neither_count += other.neither_count;
        self.neither.extend(other.neither);
        self.neither.truncate(NAMED);
    }

    /// All sealed addresses that were read.
    pub fn total(&self) -> u64 {
        self.current + self.previous + self.neither_count
    }

    fn count(&mut self, member: MemberId, by: By) {
        match by {
            By::Current => self.current += 1,
            By::Previous => self.previous += 1,
            By::Neither => {
                self.neither_count += 1;
                if self.neither.len() < NAMED {
                    self.neither.push(member);
                }
            }
        }
    }
}

enum By {
    Current,
    Previous,
    Neither,
}

/// A segment of a parallel scan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Segment {
    /// Counts from 0.
    pub index: i32,
    /// The number of segments.
    pub of: i32,
}

/// The cursor of a segment. The order of items in a scan never changes, so a resumed scan misses no item that existed when it
/// started.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Position {
    /// Before the first item.
    #[default]
    Start,
    /// After this item.
    After {
        /// Its partition key.
        pk: String,
        /// Its sort key.
        sk: String,
    },
    /// After the last item.
    End,
}

/// The attribute of a destination with its sealed address.
const SEALED: &str = "sealed";

/// A sealed address in an item, with the key context and field that open it.
struct Found {
    key: Key,
    attribute: &'static str,
    member: MemberId,
    key_context: KeyContext,
    field: Field,
    sealed: Sealed,
}

impl Store {
    /// Reads the sealed addresses among the next `limit` items of a segment. With `random`, reseals those of the previous
    /// master secret. An item that changes at the same moment is read again.
    pub async fn sealed_page(
        &self,
        sealer: &Sealer,
        random: Option<&dyn Random>,
        segment: Segment,
        from: &Position,
        limit: i32,
    ) -> Result<(SealedBy, Position), StoreError> {
        let cursor = match from {
            Position::Start => None,
            Position::After { pk, sk } => Some(Cursor::after(&Key { pk: pk.clone(), sk: sk.clone() })),
            Position::End => return Ok((SealedBy::default(), Position::End)),
        };
        let filter = path("sign_in").exists().or(path(SEALED).exists());
        let scan = Scan { segment: segment.index, total_segments: segment.of, limit, filter };
        let page = self.scan_page(&scan, cursor).await?;
        let next = match page.next {
            Some(cursor) => {
                let Key { pk, sk } = cursor.key()?;
                Position::After { pk, sk }
            }
            None => Position::End,
        };
        let key_contexts = self.key_contexts(&page.items).await?;
        let mut by = SealedBy::default();
        for item in page.items {
            let Some(found) = found(item, &key_contexts)? else { continue };
            by.count(found.member, self.sealed_item(sealer, random, found).await?);
        }
        Ok((by, next))
    }

    /// The secret that sealed one address.
    async fn sealed_item(
        &self,
        sealer: &Sealer,
        random: Option<&dyn Random>,
        mut found: Found,
    ) -> Result<By, StoreError> {
        // A dry run drops the resealed address, so that the source of its nonce does not matter.
        let bytes: &dyn Random = random.unwrap_or(&membermail_core::random::OsRandom);
        for tried in 0..TRIES {
            match sealer.reseal(&found.key_context, found.member, found.field, &found.sealed, bytes) {
                Ok(None) => return Ok(By::Current),
                Ok(Some(_)) if random.is_none() => return Ok(By::Previous),
                Ok(Some(resealed)) if self.put_resealed(&found, &resealed).await? => return Ok(By::Previous),
                Err(SealError) if tried > 0 || random.is_none() => return Ok(By::Neither),
                // The item changed at this moment, e.g. together with the member's key context by an erasure.
                Ok(Some(_)) | Err(SealError) => {
                    pause(tried, bytes).await;
                    match self.find_again(&found.key).await? {
                        Some(again) => found = again,
                        // The address was erased: nothing is left to seal.
                        None => return Ok(By::Current),
                    }
                }
            }
        }
        Err(StoreError::Conflict)
    }

    async fn find_again(&self, key: &Key) -> Result<Option<Found>, StoreError> {
        let Some(item) = self.get_raw(key, Consistency::Strong).await? else { return Ok(None) };
        let key_contexts = self.key_contexts(std::slice::from_ref(&item)).await?;
        found(item, &key_contexts)
    }

    /// Loads the key contexts of the owners of these destinations.
    async fn key_contexts(&self, items: &[Item]) -> Result<HashMap<MemberId, KeyContext>, StoreError> {
        #[derive(Deserialize)]
        struct Owned {
            member: MemberId,
        }
        let mut owners = BTreeSet::new();
        for item in items.iter().filter(|item| item.contains_key(SEALED)) {
            owners.insert(decode::<Owned>(item.clone())?.member);
        }
        let all: Vec<_> = owners.into_iter().map(keys::profile).collect();
        let members: Vec<Member> = self.get_all(&all).await?;
        Ok(members.into_iter().map(|member| (member.id, member.key_context)).collect())
    }

    /// Replaces the sealed address, if it is as it was read. The version of a destination stays: the address is the same.
    async fn put_resealed(&self, found: &Found, resealed: &Sealed) -> Result<bool, StoreError> {
        let update = Update::new().set(found.attribute, attribute(resealed)?);
        let is_as_read = path(found.attribute).eq(attribute(&found.sealed)?);
        self.write(Write::update(&found.key, update).when(is_as_read)).await
    }
}

/// The sealed address in an item; none, if the item has none or its member no longer exists.
fn found(item: Item, key_contexts: &HashMap<MemberId, KeyContext>) -> Result<Option<Found>, StoreError> {
    if item.contains_key(SEALED) {
        let StoredDestination { member, destination, sealed } = decode(item)?;
        // A member without a profile is erased, and no destination is left then.
        let Some(key_context) = key_contexts.get(&member).cloned() else { return Ok(None) };
        let key = keys::destination(member, destination.id);
        let field = Field::Destination(destination.id);
        return Ok(Some(Found { key, attribute: SEALED, member, key_context, field, sealed }));
    }
    if !item.contains_key("sign_in") {
        return Ok(None);
    }
    let Member { id: member, key_context, sign_in, .. } = decode(item)?;
    let key = keys::profile(member);
    Ok(sign_in.map(|sealed| Found { key, attribute: "sign_in", member, key_context, field: Field::SignIn, sealed }))
}
