//! The state that one sync of a domain leaves to the next: the names on the last roster, the cursor of the rolling check, and
//! the checkpoints of a run that continues in another invocation.

use std::io::{Read, Write as _};

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use jiff::{SignedDuration, Timestamp};
use membermail_core::address::DomainName;
use membermail_core::clock::later;
use membermail_core::full_read::FullRead;
use membermail_core::member::Fingerprint;
use membermail_core::rolling::Cursor;
use membermail_core::roster::{Names, RosterEntry};
use serde::{Deserialize, Serialize};
use ulid::Ulid;

use crate::error::StoreError;
use crate::keys::{self, Key};
use crate::table::{Consistency, NoAttributes, Store, Update, Write, attribute};

/// Maximum bytes of compressed text in one item: DynamoDB limits an item to 400 KB.
const PART: usize = 300_000;
/// Maximum people in one item of a checkpoint: below [`PART`] even without compression.
const PEOPLE: usize = 8_000;
/// TTL of a checkpoint, which is useful for hours.
const KEPT: SignedDuration = SignedDuration::from_hours(48);
/// The attribute of compressed text.
const DATA: &str = "data";

/// The state that one sync leaves to the next. [`Store::save_guard_state`] can create the item with nothing but `guard`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SyncState {
    /// The run that stored the names of the last roster; none before the first sync.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub roster: Option<Ulid>,
    /// Number of items with the names.
    parts: usize,
    /// Rows that the source counted but did not show: private teams in the team.
    pub hidden: u64,
    /// The cursor of the rolling check.
    pub rolling: Cursor,
    /// The last complete reading of the team; none, if it left something open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub full_read: Option<FullRead>,
    /// The guard's state of earlier runs.
    pub guard: GuardState,
}

/// The guard's state of earlier runs, at any age.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GuardState {
    /// The runs that were announced as held and can still count, oldest first.
    pub announced: Vec<Ulid>,
    /// Whether the domain's first sync still has grants to make.
    pub first_sync_is_open: bool,
}

/// The progress of a run that reads a team.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// When the checkpoint was saved.
    pub saved_at: Timestamp,
    /// Where reading continues: an opaque cursor of the membership client.
    pub position: String,
    /// The people that were read since the previous checkpoint.
    pub people: Vec<RosterEntry>,
}

#[derive(Serialize, Deserialize)]
struct StoredCheckpoint {
    saved_at: Timestamp,
    position: String,
}

impl Store {
    /// Loads the state that the last sync of a domain left.
    pub async fn sync_state(&self, domain: &DomainName) -> Result<SyncState, StoreError> {
        Ok(self.get(&keys::sync_state(domain)).await?.unwrap_or_default())
    }

    /// Loads the names on the last roster. None before the first sync, or if they are damaged: then all people on the roster
    /// count as joiners again, which costs reads and is safe.
    pub async fn last_names(&self, domain: &DomainName, state: &SyncState) -> Result<Option<Names>, StoreError> {
        let Some(run) = state.roster else { return Ok(None) };
        let mut compressed = Vec::new();
        for part in 0..state.parts {
            let Some(octets) = self.data(&keys::roster(domain, run, part)).await? else { return Ok(None) };
            compressed.extend(octets);
        }
        Ok(inflate(&compressed).and_then(|text| Names::from_text(&text)))
    }

    /// Stores the state that this sync leaves, with the names only if they changed. The former names are deleted last, so that
    /// a crash in between leaves one complete set.
    pub async fn save_sync_state(
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
            // An empty list has one part too, to distinguish it from lost names.
            let parts: Vec<_> = if compressed.is_empty() { vec![&[][..]] } else { compressed.chunks(PART).collect() };
            for (part, octets) in parts.iter().enumerate() {
                let put = Write::put(&keys::roster(domain, run, part), &NoAttributes {})?;
                self.write(with_data(put, octets)).await?;
            }
            state.roster = Some(run);
            state.parts = parts.len();
        }
        if state != *before {
            self.write(Write::put(&keys::sync_state(domain), &state)?).await?;
        }
        if let Some(former) = before.roster.filter(|former| state.roster != Some(*former)) {
            for part in 0..before.parts {
                self.delete(&keys::roster(domain, former, part)).await?;
            }
        }
        Ok(state)
    }

    /// Stores the guard's state of this run, after [`save_sync_state`](Self::save_sync_state).
    pub async fn save_guard_state(&self, domain: &DomainName, guard: &GuardState) -> Result<(), StoreError> {
        let update = Update::new().set("guard", attribute(guard)?);
        self.write(Write::update(&keys::sync_state(domain), update)).await.map(drop)
    }

    /// Saves the people that a run has read and where it continues. `first` is the number of items that it saved before;
    /// returns the number including these.
    pub async fn save_checkpoint(
        &self,
        domain: &DomainName,
        run: Ulid,
        first: usize,
        checkpoint: &Checkpoint,
    ) -> Result<usize, StoreError> {
        let stored = StoredCheckpoint { saved_at: checkpoint.saved_at, position: checkpoint.position.clone() };
        let mut part = first;
        // At least one item, since a page without people has a position too.
        let groups = checkpoint.people.chunks(PEOPLE).chain(checkpoint.people.is_empty().then_some(&[][..]));
        for people in groups {
            let key = keys::checkpoint(domain, run, part);
            let put = Write::put(&key, &stored)?.expires(later(checkpoint.saved_at, KEPT));
            self.write(with_data(put, &deflate(&lines(people)))).await?;
            part += 1;
        }
        Ok(part)
    }

    /// Loads the first `parts` items of a run's checkpoints as one: all people, and the last position.
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

    async fn data(&self, key: &Key) -> Result<Option<Vec<u8>>, StoreError> {
        let data = self.get_raw(key, Consistency::Strong).await?.and_then(|mut item| item.remove(DATA));
        Ok(match data {
            Some(AttributeValue::B(blob)) => Some(blob.into_inner()),
            _ => None,
        })
    }
}

fn with_data(put: Write, octets: &[u8]) -> Write {
    put.with(DATA, AttributeValue::B(Blob::new(octets)))
}

/// One line per person: name, fingerprint, and the flags for a valid account and a signed code of conduct.
fn lines(people: &[RosterEntry]) -> String {
    let lines = people.iter().map(|RosterEntry { name, fingerprint, is_valid, signed_code_of_conduct }| {
        format!("{name} {fingerprint} {} {}\n", u8::from(*is_valid), u8::from(*signed_code_of_conduct))
    });
    lines.collect()
}

fn read_lines(text: &str) -> Option<Vec<RosterEntry>> {
    text.lines().map(read_line).collect()
}

fn read_line(line: &str) -> Option<RosterEntry> {
    let words: Vec<_> = line.split(' ').collect();
    let [name, fingerprint, is_valid, signed_code_of_conduct] = words[..] else { return None };
    Some(RosterEntry {
        name: name.parse().ok()?,
        fingerprint: Fingerprint(fingerprint.parse().ok()?),
        is_valid: read_flag(is_valid)?,
        signed_code_of_conduct: read_flag(signed_code_of_conduct)?,
    })
}

fn read_flag(text: &str) -> Option<bool> {
    match text {
        "0" => Some(false),
        "1" => Some(true),
        _ => None,
    }
}

fn deflate(text: &str) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    // Writing to memory cannot fail; damaged data is handled when it is read.
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
        RosterEntry {
            name: name.parse().unwrap(),
            fingerprint: Fingerprint(-7),
            is_valid,
            signed_code_of_conduct: !is_valid,
        }
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
        // Long random names, which hardly compress.
        let people = (1..=PEOPLE).map(|place| {
            let number = u128::from(place as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060);
            entry(&format!("a{number:x}"), true)
        });
        assert!(deflate(&lines(&people.collect::<Vec<_>>())).len() < PART);
    }
}
