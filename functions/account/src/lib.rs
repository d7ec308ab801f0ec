//! The pages that a browser reads: who you are here, which addresses you have, and what is still to come.

use lambda_http::http::{Method, StatusCode};
use lambda_http::{Body, Request, Response};
use membermail_core::clock::{Clock, SystemClock};
use membermail_core::community::Community;
use membermail_core::master::MasterKeys;
use membermail_core::member::MemberId;
use membermail_identity::csrf;
use membermail_pages::account::{Account, Facts, Progress, View, Welcome};
use membermail_pages::answer;
use membermail_pages::assets::{self, Asset};
use membermail_pages::layout::{Message, Next, Site};
use membermail_pages::place::{self, Place};
use membermail_pages::public_url::PublicUrl;
use membermail_pages::signed_in::{self, SignedIn};
use membermail_runtime::aws::Aws;
use membermail_runtime::batch::chain;
use membermail_runtime::logs;
use membermail_runtime::secret::{MasterSecret, SecretError};
use membermail_runtime::variables::{Variables, of_process};
use membermail_store::{CheckState, Member, Salt, SealError, Sealer, Store, StoreError, StoredAlias};
use tracing::{Instrument, error};

/// What the function holds through its life.
pub struct Context {
    /// Whose site this is.
    pub community: Community,
    /// The configured URL of the site; without it each request says where it came to.
    pub public_url: Option<PublicUrl>,
    /// What keys are derived from.
    pub secret: MasterSecret,
    /// The table.
    pub store: Store,
    /// The time.
    pub clock: Box<dyn Clock>,
}

impl Context {
    /// Reads the settings and builds the clients.
    pub async fn from_env() -> Result<Self, lambda_http::Error> {
        let mut variables = Variables::new(&of_process);
        let community = variables.required("COMMUNITY");
        let table = variables.required("TABLE_NAME");
        let secret = variables.required("MASTER_SECRET_ARN");
        let public_url = variables.optional("PUBLIC_URL");
        variables.finish()?;
        let aws = Aws::from_env().await?;
        Ok(Self {
            community: membermail_communities::community(&community)?,
            public_url,
            secret: MasterSecret::new(aws.secrets(), secret),
            store: Store::new(aws.dynamodb(), table),
            clock: Box::new(SystemClock),
        })
    }
}

/// Answers one request.
pub async fn handle(context: &Context, request: &Request) -> Response<Body> {
    let response = answer(context, request).instrument(logs::request(place::request_id(request))).await;
    if request.method() == Method::HEAD { answer::headers_only(response) } else { response }
}

async fn answer(context: &Context, request: &Request) -> Response<Body> {
    let Some(place) = Place::of(context.public_url.as_ref(), request) else {
        error!("neither PUBLIC_URL nor the request tells where the site is");
        return answer::empty(StatusCode::INTERNAL_SERVER_ERROR);
    };
    let site = Site::new(&place, &context.community);
    let path = place::path(request);
    let found = match path.as_str() {
        "/" | "" => Found::Home,
        // Browsers ask for it unasked, and so do those who never saw a page of ours.
        "/favicon.ico" => Found::Icon,
        path => match path.strip_prefix("/assets/").and_then(assets::find) {
            Some(asset) => Found::Asset(asset),
            None => return answer::page(StatusCode::NOT_FOUND, &not_found(site)),
        },
    };
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return answer::allow(answer::page(StatusCode::METHOD_NOT_ALLOWED, &only_read(site)), "GET, HEAD");
    }
    match found {
        Found::Home => home(context, request, &place, site).await,
        Found::Icon => answer::changing_asset(assets::ICON),
        Found::Asset(asset) => answer::asset(asset),
    }
}

/// What there is at a path.
enum Found {
    Home,
    Icon,
    Asset(Asset),
}

/// The page of a member, or of a stranger.
async fn home(context: &Context, request: &Request, place: &Place, site: Site<'_>) -> Response<Body> {
    match signed_in(context, request, place).await {
        Ok(None) => answer::page(StatusCode::OK, &Welcome { site, domains: &context.community.domains }),
        Ok(Some(SignedIn { session, member, .. })) => match view(context, member).await {
            Ok(Some(view)) => {
                let site = Site { sign_out: Some(csrf::token(&session)), ..site };
                answer::page(StatusCode::OK, &Account { site, view })
            }
            Ok(None) => answer::page(StatusCode::OK, &Welcome { site, domains: &context.community.domains }),
            Err(cause) => unavailable(site, &cause),
        },
        Err(cause) => unavailable(site, &cause.into()),
    }
}

/// The member of this browser, whose session is noted as used.
async fn signed_in(context: &Context, request: &Request, place: &Place) -> Result<Option<SignedIn>, StoreError> {
    let now = context.clock.now();
    let found = signed_in::signed_in(&context.store, request.headers(), place.is_https(), now).await?;
    if let Some(SignedIn { session, touch_due: true, .. }) = &found {
        context.store.touch_session(session.hash().as_str(), now).await?;
    }
    Ok(found)
}

/// The page of the member that a session belongs to, or of the one that they were linked to. None, where a ban has ended
/// the session.
async fn view(context: &Context, member: Member) -> Result<Option<View>, Error> {
    let survivor = match member.merged_into {
        Some(survivor) => context.store.member(survivor).await?,
        None => None,
    };
    let Some(member) = shown(member, survivor) else { return Ok(None) };
    let stored = stored_aliases(context, &member).await?;
    let refusals = context.store.refusals_of(member.id).await?;
    let opened = |keys: &MasterKeys| {
        let sealer = Sealer::of(keys);
        let open =
            |(salt, stored): &(Salt, StoredAlias)| Ok((stored.alias.clone(), stored.destination(&sealer, salt)?));
        stored.iter().map(open).collect::<Result<Vec<_>, Error>>()
    };
    // A member without an address needs no key.
    let aliases = match stored.is_empty() {
        true => Vec::new(),
        false => context.secret.opening(opened, |cause| matches!(cause, Error::Sealed(_))).await?,
    };
    let progress = match member.check.state_at(context.clock.now()) {
        CheckState::Pending => Progress::Pending,
        CheckState::Delayed => Progress::Delayed,
        CheckState::GivenUp => Progress::GivenUp,
        CheckState::Done => Progress::Done,
    };
    let facts = Facts { progress, outcome: member.check.outcome.as_ref(), aliases: &aliases, refusals: &refusals };
    Ok(Some(View::of(&facts, &context.community)))
}

/// The member whose page it is: their own, or the survivor of a link, unless a ban came before the link and left an older
/// session of the linked member.
fn shown(member: Member, survivor: Option<Member>) -> Option<Member> {
    match member.merged_into {
        None => Some(member),
        Some(_) => survivor.filter(|survivor| !survivor.is_banned()),
    }
}

/// The aliases of a member and of those that were linked to them, by address. Each destination is sealed under the key
/// context of the member who got the alias.
async fn stored_aliases(context: &Context, member: &Member) -> Result<Vec<(Salt, StoredAlias)>, Error> {
    let mut all = Vec::new();
    for id in member.ids() {
        let aliases = context.store.aliases_of(id).await?;
        if aliases.is_empty() {
            continue;
        }
        let salt = if id == member.id {
            Some(member.salt.clone())
        } else {
            context.store.member(id).await?.map(|linked| linked.salt)
        };
        let salt = salt.ok_or(Error::NoMember(id))?;
        all.extend(aliases.into_iter().map(|alias| (salt.clone(), alias)));
    }
    all.sort_by(|(_, one), (_, other)| one.alias.address.cmp(&other.alias.address));
    Ok(all)
}

fn not_found(site: Site<'_>) -> Message<'_> {
    let next = Next { path: "/", label: "Go to your addresses" };
    Message { site, heading: "There is no such page", text: "The link that led here is old or mistyped.", next }
}

fn only_read(site: Site<'_>) -> Message<'_> {
    let next = Next { path: "/", label: "Go to your addresses" };
    Message { site, heading: "This page can only be read", text: "Whatever was sent here changed nothing.", next }
}

fn unavailable(site: Site<'_>, cause: &Error) -> Response<Body> {
    error!(cause = chain(cause), "the page of a member could not be made");
    let next = Next { path: "/", label: "Try again" };
    let text = "Your addresses cannot be shown just now. Mail to them is not affected. Please try again in a minute.";
    answer::page(StatusCode::SERVICE_UNAVAILABLE, &Message { site, heading: "Something is out of order", text, next })
}

/// Why a page could not be made.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("the table")]
    Store(#[from] StoreError),
    #[error("the master secret")]
    Secret(#[from] SecretError),
    #[error("a destination")]
    Sealed(#[from] SealError),
    #[error("an alias without its member {0}")]
    NoMember(MemberId),
}

#[cfg(test)]
#[path = "link_tests.rs"]
mod tests;
