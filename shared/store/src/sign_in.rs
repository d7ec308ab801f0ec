//! The sign-in, which finds or creates the member of an identity.

use jiff::Timestamp;
use membermail_core::destination::DestinationId;
use membermail_core::eligibility::CheckState;
use membermail_core::email::EmailAddress;
use membermail_core::language::Language;
use membermail_core::member::{Identity, MemberId};
use membermail_core::random::Random;

use crate::destinations::put_first;
use crate::error::StoreError;
use crate::identities::own;
use crate::keys;
use crate::member_check::Check;
use crate::members::Member;
use crate::sealing::{Field, KeyContext, Sealer};
use crate::sessions::{NewSession, put_session};
use crate::table::{Store, TRIES, Update, Write, attribute, path, pause};

/// A sign-in that the provider has confirmed.
#[derive(Clone, Copy, Debug)]
pub struct SignIn<'a> {
    /// The confirmed identity.
    pub identity: &'a Identity,
    /// The e-mail address from the provider.
    pub address: &'a EmailAddress,
    /// What it is for a member without a destination.
    pub destination: FirstDestination,
    /// The preferred language, if the provider has one.
    pub language: Option<&'a Language>,
    /// The session to create.
    pub session: NewSession<'a>,
}

/// What the e-mail address of a sign-in is for a member without a destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FirstDestination {
    /// It becomes the first destination, which the provider has confirmed.
    Confirmed,
    /// It becomes the first destination, which the member has to confirm.
    Unconfirmed,
    /// It cannot be one: mail would loop.
    Unsuitable,
}

impl SignIn<'_> {
    /// The first destination of the member and its write, if the address can be one.
    fn first_destination(
        &self,
        sealer: &Sealer,
        owner: (MemberId, &KeyContext),
        now: Timestamp,
        random: &dyn Random,
    ) -> Result<Option<(DestinationId, Write)>, StoreError> {
        let is_trusted = match self.destination {
            FirstDestination::Confirmed => true,
            FirstDestination::Unconfirmed => false,
            FirstDestination::Unsuitable => return Ok(None),
        };
        put_first(sealer, owner, (self.address, is_trusted), now, random).map(Some)
    }
}

impl Store {
    /// Finds or creates the member of the identity, requests their check and creates their session, in one transaction.
    pub async fn sign_in(
        &self,
        sealer: &Sealer,
        sign_in: SignIn<'_>,
        now: Timestamp,
        random: &dyn Random,
    ) -> Result<Member, StoreError> {
        for tried in 0..TRIES {
            match self.try_sign_in(sealer, sign_in, now, random).await {
                // E.g. an outcome is being recorded, or a concurrent sign-in of the same person created the member first. The
                // assertion is already consumed, so the retry has to be here.
                Err(StoreError::Conflict) => pause(tried, random).await,
                done => return done,
            }
        }
        Err(StoreError::Conflict)
    }

    async fn try_sign_in(
        &self,
        sealer: &Sealer,
        sign_in: SignIn<'_>,
        now: Timestamp,
        random: &dyn Random,
    ) -> Result<Member, StoreError> {
        match self.owner_of(sign_in.identity).await? {
            Some(owner) => self.sign_in_again(sealer, owner, sign_in, now, random).await,
            None => self.sign_up(sealer, sign_in, now, random).await,
        }
    }

    async fn sign_up(
        &self,
        sealer: &Sealer,
        sign_in: SignIn<'_>,
        now: Timestamp,
        random: &dyn Random,
    ) -> Result<Member, StoreError> {
        let SignIn { identity, address, language, session: new, .. } = sign_in;
        let id = MemberId::new(now, random);
        let key_context = KeyContext::new(random);
        let sealed = sealer.seal(&key_context, id, Field::SignIn, address, random)?;
        let first = sign_in.first_destination(sealer, (id, &key_context), now, random)?;
        let (destination, put_destination) = first.unzip();
        let member = Member {
            id,
            session_epoch: 0,
            banned_at: None,
            ban_reason: None,
            ban_changed_at: None,
            observation: None,
            merged_into: None,
            merged: Vec::new(),
            language: language.cloned(),
            language_chosen: false,
            key_context,
            grants: 0,
            destinations_added: 0,
            choices: 0,
            identity_changes: 0,
            destination,
            sign_in: Some(sealed),
            check: Check::requested(now),
        };
        let mut writes = vec![Write::create(&keys::profile(id), &member)?];
        writes.extend(own(id, identity, now)?);
        writes.extend(put_session(new, member.id, member.session_epoch, now)?);
        writes.extend(put_destination);
        self.commit(writes).await?.committed()?;
        Ok(member)
    }

    async fn sign_in_again(
        &self,
        sealer: &Sealer,
        id: MemberId,
        sign_in: SignIn<'_>,
        now: Timestamp,
        random: &dyn Random,
    ) -> Result<Member, StoreError> {
        let SignIn { identity, address, language, session: new, .. } = sign_in;
        let mut member = self.member(id).await?.ok_or_else(StoreError::missing_member)?;
        // A removal of the identity ends the sessions, so that one after this line makes the transaction fail. The profile of
        // one before it does not show it.
        if self.owner_of(identity).await? != Some(id) {
            return Err(StoreError::Conflict);
        }
        let sealed = sealer.seal(&member.key_context, id, Field::SignIn, address, random)?;
        let mut update = Update::new()
            .set("sign_in", attribute(&sealed)?)
            .set("state", "pending")
            .set("requested_at", now.to_string());
        // An address sealed with a shredded key context could never be opened, and a session of an epoch that a ban has
        // ended would not be valid.
        let mut is_as_read =
            path("salt").eq(attribute(&member.key_context)?).and(path("session_epoch").eq(member.session_epoch));
        if let Some(language) = language.filter(|_| !member.language_chosen) {
            update = update.set("language", language.as_str());
            member.language = Some(language.clone());
            is_as_read = is_as_read.and(path("language_chosen").not_exists());
        }
        let mut writes = Vec::from(put_session(new, member.id, member.session_epoch, now)?);
        // A destination that the member chose stays.
        if member.destination.is_none()
            && let Some((first, put)) = sign_in.first_destination(sealer, (id, &member.key_context), now, random)?
        {
            update = update.set("destination", first.to_string()).count("destinations_added");
            is_as_read = is_as_read.and(path("destination").not_exists());
            member.destination = Some(first);
            member.destinations_added += 1;
            writes.push(put);
            writes.extend(self.first_destinations_of_linked(sealer, &member, sign_in, now, random).await?);
        }
        writes.push(Write::update(&keys::profile(id), update).when(is_as_read));
        self.commit(writes).await?.committed()?;
        member.sign_in = Some(sealed);
        member.check.state = CheckState::Pending;
        member.check.requested_at = now;
        Ok(member)
    }

    /// The first destinations of linked members without one. Their addresses forward to destinations of their own, and after
    /// an erasure only the surviving member signs in.
    async fn first_destinations_of_linked(
        &self,
        sealer: &Sealer,
        member: &Member,
        sign_in: SignIn<'_>,
        now: Timestamp,
        random: &dyn Random,
    ) -> Result<Vec<Write>, StoreError> {
        let mut writes = Vec::new();
        for id in member.merged.iter().copied() {
            let Some(linked) = self.member(id).await?.filter(|linked| linked.destination.is_none()) else { continue };
            let Some((first, put)) = sign_in.first_destination(sealer, (id, &linked.key_context), now, random)? else {
                continue;
            };
            let update = Update::new().set("destination", first.to_string()).count("destinations_added");
            let is_as_read = path("salt")
                .eq(attribute(&linked.key_context)?)
                .and(path("destination").not_exists())
                .and(path("merged_into").eq(member.id.to_string()));
            writes.extend([put, Write::update(&keys::profile(id), update).when(is_as_read)]);
        }
        Ok(writes)
    }
}
