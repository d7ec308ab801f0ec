//! After the master secret was changed: what the previous one has sealed, sealed by the current one, page by page.

use std::collections::{BTreeSet, HashMap};

use aws_sdk_dynamodb::error::SdkError;
use membermail_core::address::Address;
use membermail_core::member::MemberId;
use membermail_core::random::Random;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::error::StoreError;
use crate::keys::{self, Key};
use crate::members::Member;
use crate::sealing::{Field, Salt, SealError, Sealed, Sealer};
use crate::table::{Item, Store, TRIES, decode, pause, text};

/// Members named in [`SealedBy::neither`]: a lost secret concerns all of them, and a count says that better than a list.
const NAMED: usize = 100;

/// How much of the table is sealed by which master secret.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealedBy {
    /// The current one, as it was found.
    pub current: u64,
    /// The previous one, or the current one since just now.
    pub previous: u64,
    /// Neither. These addresses cannot be read.
    pub neither_count: u64,
    /// Their members, the first hundred of them.
    pub neither: Vec<MemberId>,
}

impl SealedBy {
    /// Takes in the counts of another part of the table.
    pub fn add(&mut self, other: Self) {
        self.current += other.current;
        self.previous += other.previous;
        self.neither_count += other.neither_count;
        self.neither.extend(other.neither);
        self.neither.truncate(NAMED);
    }

    /// All sealed addresses that were looked at.
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

/// One of the equal parts that the table is scanned in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Segment {
    /// Which, from 0.
    pub index: i32,
    /// How many there are.
    pub of: i32,
}

/// How far a segment was scanned. An item keeps its place for as long as it exists, so that a scan which goes on from here
/// misses no item that was there when it began.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Position {
    /// Not at all.
    #[default]
    Start,
    /// Up to this item.
    After {
        /// Its partition key.
        pk: String,
        /// Its sort key.
        sk: String,
    },
    /// To the end.
    End,
}

/// A sealed address, with all that opens it and the item that it is in.
struct Found {
    key: Key,
    attribute: &'static str,
    member: MemberId,
    salt: Salt,
    address: Option<Address>,
    sealed: Sealed,
}

impl Found {
    fn field(&self) -> Field<'_> {
        self.address.as_ref().map_or(Field::SignIn, Field::Destination)
    }
}

#[derive(Deserialize)]
struct Destination {
    address: Address,
    member: MemberId,
    destination: Sealed,
}

impl Store {
    /// Looks at the sealed addresses among the next `most` items of a segment. With `random`, seals those of the previous
    /// master secret by the current one; an item that changes at the same moment is read again and not left out.
    pub async fn sealed_page(
        &self,
        sealer: &Sealer,
        random: Option<&dyn Random>,
        segment: Segment,
        from: &Position,
        most: i32,
    ) -> Result<(SealedBy, Position), StoreError> {
        let scan = self.client.scan().table_name(&self.table).consistent_read(true).limit(most);
        let scan = scan.filter_expression("attribute_exists(sign_in) OR attribute_exists(destination)");
        let scan = scan.segment(segment.index).total_segments(segment.of);
        let scan = match from {
            Position::Start => scan,
            Position::After { pk, sk } => scan.exclusive_start_key("pk", text(pk)).exclusive_start_key("sk", text(sk)),
            Position::End => return Ok((SealedBy::default(), Position::End)),
        };
        let answer = scan.send().await?;
        let next = match answer.last_evaluated_key {
            Some(key) => position(&key)?,
            None => Position::End,
        };
        let items = answer.items.unwrap_or_default();
        let salts = self.salts(&items).await?;
        let mut by = SealedBy::default();
        for item in items {
            let Some(found) = found(item, &salts)? else { continue };
            by.count(found.member, self.sealed_item(sealer, random, found).await?);
        }
        Ok((by, next))
    }

    /// By which secret one address is sealed.
    async fn sealed_item(&self, sealer: &Sealer, random: Option<&dyn Random>, found: Found) -> Result<By, StoreError> {
        // For looking alone any bytes do: what they seal is dropped.
        let bytes: &dyn Random = random.unwrap_or(&membermail_core::random::OsRandom);
        let mut found = found;
        for tried in 0..TRIES {
            match sealer.reseal(&found.salt, found.member, found.field(), &found.sealed, bytes) {
                Ok(None) => return Ok(By::Current),
                Ok(Some(_)) if random.is_none() => return Ok(By::Previous),
                Ok(Some(resealed)) if self.put_resealed(&found, &resealed).await? => return Ok(By::Previous),
                Err(SealError) if tried > 0 || random.is_none() => return Ok(By::Neither),
                // It changed at this moment, as the member's salt does with it when personal data is erased.
                Ok(Some(_)) | Err(SealError) => {
                    pause(tried, bytes).await;
                    let Key { pk, sk } = &found.key;
                    let request = self.client.get_item().table_name(&self.table).consistent_read(true);
                    let Some(item) = request.key("pk", text(pk)).key("sk", text(sk)).send().await?.item else {
                        return Ok(By::Current);
                    };
                    let salts = self.salts(std::slice::from_ref(&item)).await?;
                    match self::found(item, &salts)? {
                        Some(again) => found = again,
                        // The address was erased: nothing is left to seal.
                        None => return Ok(By::Current),
                    }
                }
            }
        }
        Err(StoreError::Conflict)
    }

    /// The salts of the owners of these aliases, by one request for each hundred.
    async fn salts(&self, items: &[Item]) -> Result<HashMap<MemberId, Salt>, StoreError> {
        #[derive(Deserialize)]
        struct Owned {
            member: MemberId,
        }
        let mut owners = BTreeSet::new();
        for item in items.iter().filter(|item| item.contains_key("destination")) {
            owners.insert(read::<Owned>(item.clone())?.member);
        }
        let all: Vec<_> = owners.into_iter().map(keys::profile).collect();
        let mut salts = HashMap::new();
        let keep = |Member { id, salt, .. }| {
            salts.insert(id, salt);
        };
        self.each_of(&all, keep).await?;
        Ok(salts)
    }

    /// Whether it was as it was found until then. No version is counted up: the address is the same.
    async fn put_resealed(&self, found: &Found, resealed: &Sealed) -> Result<bool, StoreError> {
        let value = |sealed: &Sealed| {
            serde_dynamo::to_attribute_value(sealed).map_err(|cause| StoreError::corrupt("sealed data", cause))
        };
        let Key { pk, sk } = found.key.clone();
        let request = self.client.update_item().table_name(&self.table).key("pk", text(pk)).key("sk", text(sk));
        let updated = request
            .update_expression("SET #sealed = :new")
            .condition_expression("#sealed = :old")
            .expression_attribute_names("#sealed", found.attribute)
            .expression_attribute_values(":old", value(&found.sealed)?)
            .expression_attribute_values(":new", value(resealed)?)
            .send()
            .await;
        match updated {
            Err(SdkError::ServiceError(error)) if error.err().is_conditional_check_failed_exception() => Ok(false),
            updated => updated.map(|_| true).map_err(Into::into),
        }
    }
}

/// A sealed address in an item; none where the item has none, or its member is gone.
fn found(item: Item, salts: &HashMap<MemberId, Salt>) -> Result<Option<Found>, StoreError> {
    if item.contains_key("destination") {
        let Destination { address, member, destination } = read(item)?;
        // A member without a profile is erased, and no destination is left then.
        let Some(salt) = salts.get(&member).cloned() else { return Ok(None) };
        let (key, address) = (keys::alias(&address), Some(address));
        return Ok(Some(Found { key, attribute: "destination", member, salt, address, sealed: destination }));
    }
    if !item.contains_key("sign_in") {
        return Ok(None);
    }
    let Member { id: member, salt, sign_in, .. } = read(item)?;
    let key = keys::profile(member);
    Ok(sign_in.map(|sealed| Found { key, attribute: "sign_in", member, salt, address: None, sealed }))
}

fn position(key: &Item) -> Result<Position, StoreError> {
    let part = |name: &str| {
        let value = key.get(name).and_then(|value| value.as_s().ok()).cloned();
        value.ok_or_else(|| StoreError::corrupt("a scan", "a position without its key"))
    };
    Ok(Position::After { pk: part("pk")?, sk: part("sk")? })
}

fn read<T: DeserializeOwned>(item: Item) -> Result<T, StoreError> {
    decode(item, &Key { pk: "sealed".to_owned(), sk: String::new() })
}
