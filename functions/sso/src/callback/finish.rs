//! What follows a confirmed identity: a session, or a message that adds the identity to the member of the session.

use lambda_http::Request;
use membermail_core::community::Community;
use membermail_core::destination::{FRESH_SIGN_IN, OwnDomains};
use membermail_core::email::EmailAddress;
use membermail_core::language::Language;
use membermail_core::member::Identity;
use membermail_core::message::{AddedIdentity, VerifyMember};
use membermail_identity::session::{self, SessionId};
use membermail_identity::state::{self, State};
use membermail_pages::public_url::{self, PublicUrl};
use membermail_pages::signed_in::live_session;
use membermail_runtime::checks;
use membermail_store::{FirstDestination, NewSession, Sealer, SignIn};
use tracing::info;

use super::{Confirmed, Done};
use crate::browser::session_id;
use crate::context::Context;
use crate::error::SignInError;
use crate::providers::Provider;

pub(super) async fn open_session(
    context: &Context,
    request: &Request,
    public_url: &PublicUrl,
    provider: &Provider,
    confirmed: Confirmed,
    state: State,
) -> Result<Done, SignInError> {
    let now = context.clock.now();
    let Confirmed { identity, email, language, former } = confirmed;
    let (email, verified) = email.ok_or(SignInError::NoEmail)?;
    let sealer = Sealer::of(&context.secret.keys().await?);
    // The language of notices; a malformed one counts as missing.
    let language = language.and_then(|text| Language::parse(&text).ok());
    // A new session id for each sign-in prevents session fixation.
    let id = SessionId::new(&*context.random);
    let hash = id.hash();
    let session = NewSession { hash: hash.as_str(), expires: session::expires(now) };
    // `email_verified: false` is a statement; its absence is none.
    let is_trusted = provider.trusts_email && verified != Some(false);
    let destination = first_destination(&context.community, &email, is_trusted);
    let sign_in = SignIn { identity: &identity, address: &email, language: language.as_ref(), destination, session };
    let member = context.store.sign_in(&sealer, sign_in, now, &*context.random).await?;
    let adds = former.and_then(|subject| former_identity(&context.community, subject));
    let check = VerifyMember {
        member: member.id,
        identity: Some(identity),
        adds: adds.map(|identity| AddedIdentity { identity, epoch: member.session_epoch }),
        requested_at: now,
        request_id: public_url::request_id(request).to_owned(),
    };
    checks::enqueue_check(&context.verify_queue, &check).await?;

    // A cross-site POST carries no session cookie, so the state names the session too. They differ if another tab has
    // signed in meanwhile. If this fails, the browser does not get the cookie of the new session, which then expires unused.
    let of_cookie = session_id(request, public_url).map(|id| id.hash());
    for hash in [of_cookie, state.previous_session].into_iter().flatten() {
        context.store.end_session(hash.as_str()).await?;
    }
    info!("member {} signed in", member.id);
    Ok(Done::SignedIn(id, Box::new(member)))
}

/// Asks `verify-member` to add the identity to the member of the session that started this, if it has not ended.
pub(super) async fn add_identity(
    context: &Context,
    request: &Request,
    confirmed: Confirmed,
    started: &State,
) -> Result<Done, SignInError> {
    let now = context.clock.now();
    let hash = started.previous_session.as_ref().ok_or(SignInError::SessionEnded)?;
    let live = live_session(&context.store, hash, now).await?.ok_or(SignInError::SessionEnded)?;
    // An added identity opens the member's account for good, which a stolen session must not be able to do.
    if now.duration_since(live.created) >= FRESH_SIGN_IN + state::LIFETIME {
        return Err(SignInError::OldSession);
    }
    // A session that is older than a link belongs to the linked member; the survivor has the identities.
    let member = context.store.survivor_of(live.member).await?.ok_or(SignInError::SessionEnded)?;
    let adds = AddedIdentity { identity: confirmed.identity, epoch: member.session_epoch };
    let request_id = public_url::request_id(request);
    checks::add_identity(&context.store, &context.verify_queue, member.id, adds, now, request_id).await?;
    info!("member {} adds an identity", member.id);
    Ok(Done::Adding)
}

/// The identity at the former provider.
fn former_identity(community: &Community, subject: membermail_core::member::Subject) -> Option<Identity> {
    let issuer = community.former_sign_in.as_ref()?.issuer().to_owned();
    Some(Identity { issuer, subject })
}

/// What the e-mail address of a sign-in is for a member without a destination.
fn first_destination(community: &Community, address: &EmailAddress, is_trusted: bool) -> FirstDestination {
    match OwnDomains::of(community).check(address) {
        Err(_) => FirstDestination::Unsuitable,
        Ok(()) if is_trusted => FirstDestination::Confirmed,
        Ok(()) => FirstDestination::Unconfirmed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case::trusted(true, "alice@mail.example", FirstDestination::Confirmed)]
    #[case::not_trusted(false, "alice@mail.example", FirstDestination::Unconfirmed)]
    #[case::own_domain(true, "alice@ubuntu.com", FirstDestination::Unsuitable)]
    #[case::below_own_domain(true, "alice@lists.ubuntu.com", FirstDestination::Unsuitable)]
    #[case::mail_host(true, "alice@mail.host.example", FirstDestination::Unsuitable)]
    fn community_decides_on_first_destination(
        #[case] is_trusted: bool,
        #[case] address: &str,
        #[case] expected: FirstDestination,
    ) {
        let mut community = membermail_communities::community("ubuntu").unwrap();
        assert!(!community.trusts_email(), "Ubuntu One does not say whether an address is verified");
        community.mail_hosts = vec!["mail.host.example".parse().unwrap()];
        assert_eq!(first_destination(&community, &EmailAddress::parse(address).unwrap(), is_trusted), expected);
    }
}
