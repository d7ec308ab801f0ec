//! Who may do what. Every request is checked against the table, because an admin can be removed or banned at any time.

use jiff::SignedDuration;
use jiff::Timestamp;
use lambda_http::http::StatusCode;
use lambda_http::{Body, Request, Response};
use membermail_core::address::DomainName;
use membermail_core::admin::Permissions;
use membermail_core::community::Domain;
use membermail_core::destination::FRESH_SIGN_IN;
use membermail_identity::session::SessionId;
use membermail_pages::form::has_csrf_token;
use membermail_pages::layout::{Message, Next, Site};
use membermail_pages::public_url::PublicUrl;
use membermail_pages::response;
use membermail_pages::signed_in::{SignedIn, authenticate, find_owner};
use membermail_store::{FileAdmins, Member, RateLimit};
use tracing::{info, warn};

use crate::context::Context;
use crate::error::Error;
use crate::routes::Resource;

/// Octets of a submitted form at most.
const MAX_BODY: usize = 8 * 1024;
/// Forms per admin.
const FORMS: RateLimit = RateLimit { name: "admin-forms", uses: 60, window: SignedDuration::from_mins(10) };

/// A request of a member who is signed in.
pub(crate) struct Visit<'a> {
    pub(crate) context: &'a Context,
    pub(crate) request: &'a Request,
    pub(crate) public_url: &'a PublicUrl,
    /// The layout, in the language of the member.
    pub(crate) site: Site<'a>,
    /// The member whose account page the session shows.
    pub(crate) member: Member,
    /// Whether they signed in so recently that a stolen session is unlikely.
    pub(crate) is_fresh: bool,
    pub(crate) now: Timestamp,
}

/// A request of an admin about a domain, for which they have the permission.
pub(crate) struct Admin<'a> {
    pub(crate) visit: Visit<'a>,
    pub(crate) domain: &'a Domain,
    /// All permissions of the admin in the domain.
    pub(crate) permissions: Permissions,
}

/// The outcome of a check of access.
pub(crate) enum Access<T> {
    Granted(T),
    /// The response to those who may not do it.
    Refused(Response<Body>),
}

/// Finds the member who sent a request. Visitors without a session are led to the start page, which offers to sign in.
pub(crate) async fn sign_in<'a>(
    context: &'a Context,
    request: &'a Request,
    public_url: &'a PublicUrl,
    site: Site<'a>,
    is_form: bool,
) -> Result<Access<Visit<'a>>, Error> {
    if is_form && request.body().len() > MAX_BODY {
        return Ok(refuse(site, StatusCode::PAYLOAD_TOO_LARGE, "form-too-large", Next::START));
    }
    let start = || Ok(Access::Refused(response::see_other(public_url.join("/").as_str())));
    let now = context.clock.now();
    let signed_in = authenticate(&context.store, request.headers(), public_url.is_https(), now).await?;
    let Some(SignedIn { session, created, member, touch_due }) = signed_in else { return start() };
    if is_form && !has_csrf_token(request, &session) {
        warn!("refused a form without a valid CSRF token");
        return Ok(refuse(site, StatusCode::FORBIDDEN, "invalid-form", Next::START));
    }
    if touch_due {
        touch(context, &session, now).await?;
    }
    let Some(member) = find_owner(&context.store, member).await? else { return start() };
    let site = site.in_language(member.chosen_language());
    let is_fresh = now.duration_since(created) < FRESH_SIGN_IN;
    Ok(Access::Granted(Visit { context, request, public_url, site, member, is_fresh, now }))
}

async fn touch(context: &Context, session: &SessionId, now: Timestamp) -> Result<(), Error> {
    Ok(context.store.touch_session(session.hash().as_str(), now).await?)
}

/// Checks whether the member may use a page or a form of a domain. A foreign domain and one that does not exist look alike.
pub(crate) async fn authorise<'a>(
    visit: Visit<'a>,
    domain: &DomainName,
    resource: &Resource,
) -> Result<Access<Admin<'a>>, Error> {
    let context = visit.context;
    let found = context.community.domain(domain);
    let permissions = match found {
        Some(found) => {
            let issuer = context.community.issuer();
            let all = context.store.permissions(&visit.member, &[FileAdmins::from(found)], issuer).await?;
            all.get(domain).copied().unwrap_or_default()
        }
        None => Permissions::NONE,
    };
    let Some(domain) = found.filter(|_| !permissions.is_empty()) else {
        info!("member {} is no admin of the domain", visit.member.id);
        return Ok(refuse(visit.site, StatusCode::FORBIDDEN, "admin-not-here", Next::START));
    };
    if !permissions.has(resource.permission()) {
        info!("admin {} lacks the permission {}", visit.member.id, resource.permission());
        return Ok(refuse(visit.site, StatusCode::FORBIDDEN, "admin-no-permission", Next::START));
    }
    if resource.is_form() && !context.store.count_use(FORMS, &visit.member.id.to_string(), visit.now).await? {
        info!("admin {} submits forms too often", visit.member.id);
        return Ok(refuse(visit.site, StatusCode::TOO_MANY_REQUESTS, "too-many-requests", Next::START));
    }
    if resource.needs_fresh_sign_in() && !visit.is_fresh {
        return Ok(refuse(visit.site, StatusCode::FORBIDDEN, "sign-in-first", Next::SIGN_IN));
    }
    Ok(Access::Granted(Admin { visit, domain, permissions }))
}

fn refuse<T>(site: Site<'_>, status: StatusCode, id: &str, next: Next<'_>) -> Access<T> {
    Access::Refused(response::page(status, &Message::new(site, id, next)))
}
