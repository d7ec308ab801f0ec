//! What one sync of a domain leaves to the next: the names on the last roster, the cursor of the rolling check, and how far
//! a run has read when it has to continue in another invocation.

use std::io::{Read, Write};

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use jiff::{SignedDuration, Timestamp};
use membermail_core::address::DomainName;
use membermail_core::clock::later;
use membermail_core::full_read::FullRead;
use membermail_core::member::{Fingerprint, LaunchpadName};
use membermail_core::rolling::Cursor;
use membermail_core::roster::{Names, RosterEntry};
use serde::{Deserialize, Serialize};
use ulid::Ulid;

use crate::error::StoreError;
use crate::keys::{self, Key};
use crate::table::{Item, Store, encode, expires, text};

/// Octets of compressed text in one item: an item has 400 kB at most.
const PART: usize = 300_000;
/// People in one item of a checkpoint: below [`PART`] even where nothing compresses.
const PEOPLE: usize = 8_000;
/// A checkpoint is of use for hours, not for days.
const KEPT: SignedDuration = SignedDuration::from_hours(48);
/// The attribute of compressed text.
const DATA: &str = "data";

/// What one sync leaves to the next.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyncState {
    /// The run that stored the names of the last roster; none before the first sync.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub roster: Option<Ulid>,
    /// Items that the names are in.
    #[serde(default)]
    parts: usize,
    /// Rows that the source counted and did not show: private teams in the team.
    #[serde(default)]
    pub hidden: u64,
    /// How far the rolling check is.
    #[serde(default)]
    pub rolling: Cursor,
    /// The last complete reading of the team; none where that left something open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub full_read: Option<FullRead>,
    /// What the guard has to know of earlier runs, however long ago they were.
    #[serde(default)]
    pub guard: GuardState,
}

/// What the guard has to know of earlier runs, however long ago they were.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GuardState {
    /// The runs that were announced as held and may still count, oldest first.
    #[serde(default)]
    pub announced: Vec<Ulid>,
    /// Whether the domain's first sync has not granted everything yet.
    #[serde(default)]
    pub first_sync_is_open: bool,
}

/// How far a run has read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// When it was saved.
    pub saved_at: Timestamp,
    /// Where reading continues, in the words of whoever reads.
    pub position: String,
    /// The people that were read since the checkpoint before.
    pub people: Vec<RosterEntry>,
}

#[derive(Serialize, Deserialize)]
struct StoredCheckpoint {
    saved_at: Timestamp,
    position: String,
}

impl Store {
    /// What the last sync of a domain left.
    pub async fn sync_state(&self, domain: &DomainName) -> Result<SyncState, StoreError> {
        Ok(self.get(&keys::sync_state(domain)).await?.unwrap_or_default())
    }

    /// The names on the last roster; none before the first sync, and none where they cannot be read: then everybody who
    /// is on the roster counts as a joiner once more, which costs reads and is right.
    pub async fn last_names(&self, domain: &DomainName, state: &SyncState) -> Result<Option<Names>, StoreError> {
        let Some(run) = state.roster else { return Ok(None) };
        let mut compressed = Vec::new();
        for part in 0..state.parts {
            let Some(octets) = self.data(&keys::roster(domain, run, part)).await? else { return Ok(None) };
            compressed.extend(octets);
        }
        Ok(inflate(&compressed).and_then(|text| Names::from_text(&text)))
    }

    /// Stores what this sync leaves; the names only where they changed. The former names go afterwards, so that a crash
    /// in between leaves one set or the other.
    pub async fn leave_sync_state(
        &self,
        domain: &DomainName,
        before: &SyncState,
        names: Option<(Ulid, &Names)>,
        hidden: u64,
        rolling: &Cursor,
        full_read: Option<FullRead>,
    ) -> Result<SyncState, StoreError> {
        let mut state = SyncState { hidden, rolling: rolling.clone(), full_read, ..before.clone() };
        if let Some((run, names)) = names {
            let compressed = deflate(&names.to_text());
            // Also of no names there is a part, or they could not be told from lost ones.
            let parts: Vec<_> = if compressed.is_empty() { vec![&[][..]] } else { compressed.chunks(PART).collect() };
            for (part, octets) in parts.iter().enumerate() {
                self.put_data(&keys::roster(domain, run, part), octets, Item::new()).await?;
            }
            (state.roster, state.parts) = (Some(run), parts.len());
        }
        if state != *before {
            let item = encode(&keys::sync_state(domain), &state)?;
            self.client.put_item().table_name(&self.table).set_item(Some(item)).send().await?;
        }
        if let Some(former) = before.roster.filter(|former| state.roster != Some(*former)) {
            for part in 0..before.parts {
                self.delete(&keys::roster(domain, former, part)).await?;
            }
        }
        Ok(state)
    }

    /// Stores what the guard has to know of this run, after [`leave_sync_state`](Self::leave_sync_state).
    pub async fn leave_guard_state(&self, domain: &DomainName, guard: &GuardState) -> Result<(), StoreError> {
        let key = keys::sync_state(domain);
        let value = serde_dynamo::to_attribute_value(guard).map_err(|cause| StoreError::corrupt("SYNC", cause))?;
        let update = self.client.update_item().table_name(&self.table);
        let update = update.key("pk", text(&key.pk)).key("sk", text(&key.sk));
        let update = update.update_expression("SET #guard = :guard").expression_attribute_names("#guard", "guard");
        update.expression_attribute_values(":guard", value).send().await?;
        Ok(())
    }

    /// Saves people that a run has read and where it continues. `first` is the number of items that it saved before; the
    /// number with these comes back.
    pub async fn save_checkpoint(
        &self,
        domain: &DomainName,
        run: Ulid,
        first: usize,
        checkpoint: &Checkpoint,
    ) -> Result<usize, StoreError> {
        let stored = StoredCheckpoint { saved_at: checkpoint.saved_at, position: checkpoint.position.clone() };
        let mut part = first;
        // One item at least: the position counts also where a page had no people.
        let groups = checkpoint.people.chunks(PEOPLE).chain(checkpoint.people.is_empty().then_some(&[][..]));
        for people in groups {
            let key = keys::checkpoint(domain, run, part);
            let mut item = encode(&key, &stored)?;
            item.insert("expires".into(), expires(later(checkpoint.saved_at, KEPT)));
            self.put_data(&key, &deflate(&lines(people)), item).await?;
            part += 1;
        }
        Ok(part)
    }

    /// The first so many items of a run's checkpoints as one: all people, and the last position.
    pub async fn checkpoint(
        &self,
        domain: &DomainName,
        run: Ulid,
        parts: usize,
    ) -> Result<Option<Checkpoint>, StoreError> {
        let mut all: Option<Checkpoint> = None;
        for part in 0..parts {
            let key = keys::checkpoint(domain, run, part);
            let (stored, data) = tokio::try_join!(self.get::<StoredCheckpoint>(&key), self.data(&key))?;
            let people = data.and_then(|data| read_lines(&inflate(&data)?));
            let (Some(StoredCheckpoint { saved_at, position }), Some(people)) = (stored, people) else {
                return Ok(None);
            };
            let mut whole = all.map(|all| all.people).unwrap_or_default();
            whole.extend(people);
            all = Some(Checkpoint { saved_at, position, people: whole });
        }
        Ok(all)
    }

    async fn data(&self, Key { pk, sk }: &Key) -> Result<Option<Vec<u8>>, StoreError> {
        let request = self.client.get_item().table_name(&self.table).consistent_read(true);
        let answer = request.key("pk", text(pk)).key("sk", text(sk)).projection_expression("#data");
        let answer = answer.expression_attribute_names("#data", DATA).send().await?;
        let data = answer.item.and_then(|mut item| item.remove(DATA));
        Ok(match data {
            Some(AttributeValue::B(blob)) => Some(blob.into_inner()),
            _ => None,
        })
    }

    async fn put_data(&self, Key { pk, sk }: &Key, octets: &[u8], mut item: Item) -> Result<(), StoreError> {
        item.insert("pk".into(), text(pk));
        item.insert("sk".into(), text(sk));
        item.insert(DATA.into(), AttributeValue::B(Blob::new(octets)));
        self.client.put_item().table_name(&self.table).set_item(Some(item)).send().await?;
        Ok(())
    }
}

/// One line a person: name, fingerprint, and whether valid and signed.
fn lines(people: &[RosterEntry]) -> String {
    let line = |entry: &RosterEntry| {
        let RosterEntry { name, fingerprint, is_valid, signed_code_of_conduct } = entry;
        format!("{name} {fingerprint} {} {}\n", u8::from(*is_valid), u8::from(*signed_code_of_conduct))
    };
    people.iter().map(line).collect()
}

fn read_lines(text: &str) -> Option<Vec<RosterEntry>> {
    let flag = |text: &str| match text {
        "0" => Some(false),
        "1" => Some(true),
        _ => None,
    };
    let line = |line: &str| {
        let mut words = line.split(' ');
        let name = LaunchpadName::parse(words.next()?).ok()?;
        let fingerprint = Fingerprint(words.next()?.parse().ok()?);
        let (is_valid, signed_code_of_conduct) = (flag(words.next()?)?, flag(words.next()?)?);
        words.next().is_none().then_some(RosterEntry { name, fingerprint, is_valid, signed_code_of_conduct })
    };
    text.lines().map(line).collect()
}

fn deflate(text: &str) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    // Writing to memory does not fail; if it did, reading would find damaged data, which is handled.
    let _ = encoder.write_all(text.as_bytes());
    encoder.finish().unwrap_or_default()
}

fn inflate(octets: &[u8]) -> Option<String> {
    let mut text = String::new();
    DeflateDecoder::new(octets).read_to_string(&mut text).ok()?;
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(name: &str, is_valid: bool) -> RosterEntry {
        let name = LaunchpadName::parse(name).unwrap();
        RosterEntry { name, fingerprint: Fingerprint(-7), is_valid, signed_code_of_conduct: !is_valid }
    }

    #[test]
    fn people_survive_compression() {
        let people = vec![entry("ada", true), entry("ben", false)];
        let text = inflate(&deflate(&lines(&people))).unwrap();
        assert_eq!(read_lines(&text), Some(people));
        assert_eq!(inflate(b"damaged"), None);
        assert_eq!(read_lines("ada 1 1"), None);
        assert_eq!(read_lines("ada 1 1 2"), None);
        assert_eq!(read_lines("ada 1 1 1 1"), None);
    }

    #[test]
    fn part_fits_in_an_item() {
        // Names of the longest kind that people have, which hardly compress.
        let name =
            |place: usize| format!("{:x}", u128::from(place as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060));
        let people: Vec<_> = (1..=PEOPLE).map(|place| entry(&format!("a{}", name(place)), true)).collect();
        assert!(deflate(&lines(&people)).len() < PART);
    }
}
