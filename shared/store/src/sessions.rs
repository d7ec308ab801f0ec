//! Sessions, keyed by the hash of the session id, so that a copy of the table opens no session.

use std::collections::BTreeMap;

use jiff::Timestamp;
use membermail_core::audit::{Cause, Change, Entry, MemberChange};
use membermail_core::member::MemberId;
use membermail_core::random::Random;
use serde::{Deserialize, Serialize};

use crate::audit;
use crate::error::StoreError;
use crate::keys::{self, Key};
use crate::members::Member;
use crate::table::{BATCH, Slot, Store, Update, Write, decode, item_exists, path};

/// A stored session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// The signed-in member.
    pub member: MemberId,
    /// When the member signed in.
    pub created: Timestamp,
    /// When it was last used, to within a few minutes.
    pub last_seen: Timestamp,
    /// The member's session epoch at sign-in. A session of an earlier epoch has ended.
    pub epoch: u64,
}

/// The session that a sign-in creates.
#[derive(Clone, Copy, Debug)]
pub struct NewSession<'a> {
    /// The hash of the session id.
    pub hash: &'a str,
    /// The session ends at this time at the latest.
    pub expires: Timestamp,
}

#[derive(Deserialize)]
struct Stored {
    #[serde(flatten)]
    session: Session,
    expires: i64,
}

/// The entry of a session in the list of its member.
#[derive(Serialize, Deserialize)]
struct Listed {
    hash: String,
}

/// A session in the list of its member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedSession {
    /// The hash of its id.
    pub hash: String,
    /// The session.
    pub session: Session,
}

/// Puts a session and its entry in the list of its member, as part of the sign-in's transaction.
pub(crate) fn put_session(
    new: NewSession<'_>,
    member: MemberId,
    epoch: u64,
    now: Timestamp,
) -> Result<[Write; 2], StoreError> {
    let session = Session { member, created: now, last_seen: now, epoch };
    let listed = Listed { hash: new.hash.to_owned() };
    // The items have no `address`, the sort key of the index by member, which holds aliases only.
    Ok([
        Write::put(&keys::session(new.hash), &session)?.expires(new.expires),
        Write::put(&keys::session_of(member, new.hash), &listed)?.expires(new.expires),
    ])
}

impl Store {
    /// Loads a session that has not ended. DynamoDB deletes expired items late, so the time is also checked here.
    pub async fn session(&self, hash: &str, now: Timestamp) -> Result<Option<Session>, StoreError> {
        let stored: Option<Stored> = self.get(&keys::session(hash)).await?;
        Ok(stored.filter(|stored| stored.expires > now.as_second()).map(|stored| stored.session))
    }

    /// Records the last use of a session that has not ended.
    pub async fn touch_session(&self, hash: &str, now: Timestamp) -> Result<(), StoreError> {
        let update = Write::update(&keys::session(hash), Update::new().set("last_seen", now.to_string()));
        let is_open = item_exists().and(path("expires").gt(now.as_second()));
        self.write(update.when(is_open)).await.map(drop)
    }

    /// Ends a session. Its entry in the list of its member expires.
    pub async fn end_session(&self, hash: &str) -> Result<(), StoreError> {
        self.delete(&keys::session(hash)).await
    }

    /// The sessions of a member, and of all members linked to them, that have not ended; the last one first.
    pub async fn sessions_of(&self, member: &Member, now: Timestamp) -> Result<Vec<ListedSession>, StoreError> {
        let mut all = Vec::new();
        for id in member.ids().collect::<Vec<_>>() {
            let listed: Vec<Listed> = self.list(&keys::profile(id).pk, keys::SESSION).await?;
            let keys: BTreeMap<_, _> = listed.into_iter().map(|Listed { hash }| (keys::session(&hash), hash)).collect();
            let epoch = match id == member.id {
                true => Some(member.session_epoch),
                false => self.member(id).await?.map(|linked| linked.session_epoch),
            };
            for chunk in keys.keys().cloned().collect::<Vec<_>>().chunks(BATCH) {
                for item in self.batch_get(chunk).await? {
                    let Some(hash) = keys.get(&Key::of_item(&item)?).cloned() else { continue };
                    let Stored { session, expires } = decode(item)?;
                    if expires > now.as_second() && session.member == id && Some(session.epoch) == epoch {
                        all.push(ListedSession { hash, session });
                    }
                }
            }
        }
        all.sort_by_key(|listed| (std::cmp::Reverse(listed.session.created), listed.hash.clone()));
        Ok(all)
    }

    /// Ends one session of a member. Returns false if it ended before, or belongs to somebody else.
    pub async fn end_session_of(&self, member: &Member, hash: &str) -> Result<bool, StoreError> {
        let owners = member.ids().map(|id| id.to_string());
        let delete = Write::delete(&keys::session(hash)).when(path("member").is_in(owners));
        self.write(delete).await
    }

    /// Ends the sessions of a member, and of all members linked to them, that were created at `time` or before, for example
    /// because they signed out at the provider. Returns the number of those that ended now.
    pub async fn end_sessions_before(
        &self,
        member: &Member,
        time: Timestamp,
        now: Timestamp,
    ) -> Result<usize, StoreError> {
        let mut ended = 0;
        for listed in self.sessions_of(member, now).await? {
            if listed.session.created <= time {
                ended += usize::from(self.end_session_of(member, &listed.hash).await?);
            }
        }
        Ok(ended)
    }

    /// Ends all sessions of a member and of all members linked to them; pending confirmations are void then. Returns false
    /// if the sessions ended meanwhile.
    pub async fn end_all_sessions(
        &self,
        member: &Member,
        cause: Cause<'_>,
        random: &dyn Random,
    ) -> Result<bool, StoreError> {
        let entry = Entry::new(Change::Member { member: member.id, did: MemberChange::SessionsEnded }, cause, random);
        let mut writes = audit::record(&entry)?;
        for id in member.ids() {
            let condition = match id == member.id {
                true => path("session_epoch").eq(member.session_epoch),
                false => item_exists(),
            };
            let update = Write::update(&keys::profile(id), Update::new().increment("session_epoch"));
            writes.push(update.when(condition).slot(Slot::Profile));
        }
        self.commit(writes).await?.committed_unless_failed(Slot::Profile)
    }
}
