//! The browser comes back from the provider: check the assertion, open a session, ask for the check.

use lambda_http::http::{Method, header};
use lambda_http::{Body, Request, Response};
use membermail_core::language::Language;
use membermail_core::master::MasterKeys;
use membermail_identity::openid2::{Answer, ConfirmError, Refusal, SignedIn};
use membermail_identity::session::{self, SessionHash, SessionId};
use membermail_identity::state::{self, State, StateError, StateKey};
use membermail_pages::answer;
use membermail_pages::place::{self, Place};
use membermail_runtime::metrics::Measure;
use membermail_runtime::queue::QueueError;
use membermail_runtime::secret::SecretError;
use membermail_store::{NewSession, Sealer, SignIn, StoreError, UsedUp};
use tracing::info;

use crate::check;
use crate::context::Context;
use crate::{refused, session_of, with_cookie};

/// Answers `GET` and `POST /callback`.
pub(crate) async fn callback(context: &Context, request: &Request, place: &Place) -> Response<Body> {
    let completed = complete(context, request, place).await;
    context.metrics.record(&Measure::SignIn { outcome: completed.as_ref().map_or_else(Error::word, |_| "signed-in") });
    match completed {
        Ok(session) => {
            // The browser keeps its secret, by which another tab can still come back; the state of this one is used up.
            let home = answer::see_other(place.join("/").as_str());
            with_cookie(home, &session::cookie(&session, place.is_https()))
        }
        Err(cause) => refused::callback(context, place, &cause),
    }
}

/// Each step is a reason of its own to go no further. Before the provider has confirmed, only the state and the nonce are
/// written.
async fn complete(context: &Context, request: &Request, place: &Place) -> Result<SessionId, Error> {
    let query = request.uri().query().unwrap_or_default();
    let answer = if request.method() == Method::POST {
        let media_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        Answer::from_form(query, media_type, request.body())?
    } else {
        Answer::from_query(query)?
    };

    // The browser that comes back is the one that was sent.
    let now = context.clock.now();
    let browser = state::read_cookie(request.headers(), place.is_https()).ok_or(StateError::OtherBrowser)?;
    let token = answer.parameter("state").ok_or(StateError::Malformed)?;
    // It may have been made by a key that was changed meanwhile, or by a newer one than we have.
    let verified = |keys: &MasterKeys| {
        let each = keys.each().map(|master| state::verify(&StateKey::derive(master), token, &browser, now));
        let first = each.reduce(|one, other| if one == Err(StateError::OtherBrowser) { other } else { one });
        Ok(first.unwrap_or(Err(StateError::OtherBrowser))?)
    };
    let is_of_another = |cause: &Error| matches!(cause, Error::State(StateError::OtherBrowser));
    let State { id: state, previous_session } = context.secret.opening(verified, is_of_another).await?;

    // The assertion is whole and meant for us, and neither it nor the state was used before.
    let checked = context.relying_party.check(answer, &place.join("/callback"), now)?;
    let (issuer, nonce, random) = (checked.issuer(), checked.nonce().as_str(), &*context.random);
    if context.store.use_up(issuer, nonce, state.as_str(), now, random).await? == UsedUp::AlreadyUsed {
        return Err(Error::Replayed);
    }

    // The provider says that it made it. It does so once, even where its answer is lost on the way. So the state is used
    // up by now: the same URL again could only come to a denial, which looks like a forgery.
    let signed_in = context.relying_party.confirm(checked).await?;

    // By POST the browser sends no session cookie, so the state names the session too. They differ where another tab has
    // signed in meanwhile.
    let former = [session_of(request, place).map(|id| id.hash()), previous_session];
    open_session(context, request, signed_in, former).await
}

async fn open_session(
    context: &Context,
    request: &Request,
    signed_in: SignedIn,
    former: [Option<SessionHash>; 2],
) -> Result<SessionId, Error> {
    let now = context.clock.now();
    let SignedIn { identity, email, language } = signed_in;
    let sealer = Sealer::of(&context.secret.keys().await?);
    // For notices. A language that is none is as good as no word on it.
    let language = language.and_then(|text| Language::parse(&text).ok());
    // A new id at each sign-in, against session fixation.
    let id = SessionId::new(&*context.random);
    let hash = id.hash();
    let session = NewSession { hash: hash.as_str(), expires: session::expires(now) };
    let sign_in = SignIn { identity: &identity, address: &email, language: language.as_ref(), session };
    let member = context.store.sign_in(&sealer, sign_in, now, &*context.random).await?;
    check::enqueue(context, member.id, Some(identity), now, place::request_id(request)).await?;

    // Without its cookie, the session of a sign-in that fails here is good for nothing and expires.
    for former in former.iter().flatten() {
        context.store.end_session(former.as_str()).await?;
    }
    info!("member {} signed in", member.id);
    Ok(id)
}

/// Why a sign-in did not come to its end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("the answer is refused")]
    Refused(#[from] Refusal),
    #[error("the state is refused")]
    State(#[from] StateError),
    #[error("the provider does not confirm")]
    Confirm(#[from] ConfirmError),
    #[error("the assertion or the state was used before")]
    Replayed,
    #[error("the master secret")]
    Secret(#[from] SecretError),
    #[error("the table")]
    Store(#[from] StoreError),
    #[error("the queue")]
    Queue(#[from] QueueError),
}

impl Error {
    /// What the metric says of it.
    fn word(&self) -> &'static str {
        match self {
            Self::Refused(Refusal::Cancelled) => "cancelled",
            Self::Refused(Refusal::NoEmail) => "no-email",
            Self::Refused(Refusal::BadEmail(_)) => "bad-email",
            Self::State(StateError::Expired) | Self::Refused(Refusal::NonceOld) => "too-late",
            Self::Refused(_) => "refused",
            Self::State(_) => "other-browser",
            Self::Confirm(ConfirmError::Forged) => "forged",
            Self::Confirm(ConfirmError::Rejected) => "provider-rejected",
            Self::Confirm(ConfirmError::TimedOut) => "provider-timeout",
            Self::Confirm(ConfirmError::Unavailable(_) | ConfirmError::Malformed(_)) => "provider-failed",
            Self::Replayed => "replayed",
            Self::Secret(_) | Self::Store(_) | Self::Queue(_) => "failed",
        }
    }
}
