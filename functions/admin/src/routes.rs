//! Which path and method is what, and which permission it needs.

use lambda_http::http::{Method, StatusCode};
use lambda_http::{Body, Request, Response};
use membermail_core::address::{DomainName, LocalPart};
use membermail_core::admin::Permission;
use membermail_core::member::MemberId;
use membermail_pages::admin::plans::decision::Decision;
use membermail_pages::layout::{Message, Next, Site};
use membermail_pages::public_url::{self, PublicUrl};
use membermail_pages::response;
use membermail_runtime::batch::chain;
use tracing::error;
use ulid::Ulid;

use crate::access::{self, Access, Admin, Visit};
use crate::context::Context;
use crate::error::Error;
use crate::{addresses, admins, audit, bans, changes, domain, members, overview, plans, reserved};

/// A page or a form of a domain.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(test, derive(strum::AsRefStr, strum::VariantNames))]
pub(crate) enum Resource {
    /// The domain itself.
    Domain,
    /// Its addresses.
    Addresses,
    /// One address.
    Address(LocalPart),
    /// Requests the check that restores an address.
    RestoreAddress(LocalPart),
    /// The search for its members.
    Members,
    /// One member.
    Member(MemberId),
    /// The preview of a ban.
    BanPreview(MemberId),
    /// Bans a member.
    Ban(MemberId),
    /// Lifts a ban.
    Unban(MemberId),
    /// Its runs.
    Plans,
    /// The last dry run, or the form that requests one.
    DryRun { is_form: bool },
    /// The form that requests a sync.
    Sync,
    /// A run.
    Run(Ulid),
    /// The preview of a decision on a held run, or its form.
    Decision { run: Ulid, decision: Decision, is_form: bool },
    /// Its audit log.
    Audit,
    /// The log as a file.
    AuditExport,
    /// A check of its DNS records.
    CheckDns,
    /// Its addresses whose mail was not delivered.
    Failing,
    /// Its admins.
    Admins,
    /// An appointment.
    AppointAdmin,
    /// Other permissions of an admin.
    ChangeAdmin(MemberId),
    /// A removal of an admin.
    RemoveAdmin(MemberId),
    /// Its reserved names.
    Reserved,
    /// A reservation of a name.
    ReserveName,
    /// The end of a reservation.
    ReleaseName,
}

impl Resource {
    /// Finds a resource by the segments of its path below the domain.
    pub(crate) fn find(segments: &[&str], is_form: bool) -> Option<Self> {
        Some(match (segments, is_form) {
            ([], false) => Self::Domain,
            (["addresses"], false) => Self::Addresses,
            (["addresses", name], false) => Self::Address(LocalPart::parse(name).ok()?),
            (["addresses", name, "restore"], true) => Self::RestoreAddress(LocalPart::parse(name).ok()?),
            (["members"], false) => Self::Members,
            (["members", id], false) => Self::Member(MemberId::parse(id).ok()?),
            (["members", id, "ban"], false) => Self::BanPreview(MemberId::parse(id).ok()?),
            (["members", id, "ban"], true) => Self::Ban(MemberId::parse(id).ok()?),
            (["members", id, "unban"], true) => Self::Unban(MemberId::parse(id).ok()?),
            (["plans"], false) => Self::Plans,
            (["plans", "dry-run"], is_form) => Self::DryRun { is_form },
            (["plans", "sync"], true) => Self::Sync,
            (["plans", run], false) => Self::Run(parse_run(run)?),
            (["plans", run, "release"], is_form) => Self::decision(run, Decision::Release, is_form)?,
            (["plans", run, "reject"], is_form) => Self::decision(run, Decision::Reject, is_form)?,
            (["audit"], false) => Self::Audit,
            (["audit", "export"], false) => Self::AuditExport,
            (["check"], true) => Self::CheckDns,
            (["failing"], false) => Self::Failing,
            (["admins"], false) => Self::Admins,
            (["admins"], true) => Self::AppointAdmin,
            (["admins", member], true) => Self::ChangeAdmin(MemberId::parse(member).ok()?),
            (["admins", member, "remove"], true) => Self::RemoveAdmin(MemberId::parse(member).ok()?),
            (["reserved"], false) => Self::Reserved,
            (["reserved"], true) => Self::ReserveName,
            (["reserved", "release"], true) => Self::ReleaseName,
            _ => return None,
        })
    }

    fn decision(run: &str, decision: Decision, is_form: bool) -> Option<Self> {
        Some(Self::Decision { run: parse_run(run)?, decision, is_form })
    }

    /// The permission that it needs.
    pub(crate) fn permission(&self) -> Permission {
        match self {
            Self::Domain | Self::Audit | Self::AuditExport => Permission::View,
            Self::Addresses | Self::Address(_) | Self::Members | Self::Member(_) => Permission::View,
            Self::RestoreAddress(_) => Permission::Decide,
            Self::BanPreview(_) | Self::Ban(_) | Self::Unban(_) => Permission::Ban,
            // A dry run changes nothing.
            Self::Plans | Self::DryRun { .. } | Self::Run(_) => Permission::View,
            Self::Sync | Self::Decision { .. } => Permission::Decide,
            Self::CheckDns | Self::Failing | Self::Admins | Self::Reserved => Permission::View,
            Self::AppointAdmin | Self::ChangeAdmin(_) | Self::RemoveAdmin(_) => Permission::Appoint,
            Self::ReserveName | Self::ReleaseName => Permission::Decide,
        }
    }

    /// Whether it changes something.
    pub(crate) fn is_form(&self) -> bool {
        match self {
            Self::Domain | Self::Audit | Self::AuditExport => false,
            Self::Addresses | Self::Address(_) | Self::Members | Self::Member(_) | Self::BanPreview(_) => false,
            Self::RestoreAddress(_) | Self::Ban(_) | Self::Unban(_) => true,
            Self::Plans | Self::Run(_) => false,
            Self::Sync => true,
            Self::DryRun { is_form } | Self::Decision { is_form, .. } => *is_form,
            Self::Failing | Self::Admins | Self::Reserved => false,
            Self::AppointAdmin | Self::ChangeAdmin(_) | Self::RemoveAdmin(_) => true,
            Self::CheckDns | Self::ReserveName | Self::ReleaseName => true,
        }
    }

    /// Whether a stolen session must not be enough.
    pub(crate) fn needs_fresh_sign_in(&self) -> bool {
        match self {
            Self::Domain | Self::Audit | Self::AuditExport => false,
            Self::Addresses | Self::Address(_) | Self::Members | Self::Member(_) | Self::RestoreAddress(_) => false,
            // The preview too, so that the typed reason is not lost.
            Self::BanPreview(_) | Self::Ban(_) | Self::Unban(_) => true,
            Self::Plans | Self::DryRun { .. } | Self::Run(_) | Self::Sync => false,
            // Also the preview, so that no comment is lost at the form.
            Self::Decision { decision, .. } => *decision == Decision::Release,
            Self::CheckDns | Self::Failing | Self::Admins | Self::Reserved => false,
            Self::ReserveName | Self::ReleaseName => false,
            Self::AppointAdmin | Self::ChangeAdmin(_) | Self::RemoveAdmin(_) => true,
        }
    }
}

/// Reads the id of a run, as links write it.
fn parse_run(text: &str) -> Option<Ulid> {
    Ulid::from_string(text).ok().filter(|id| id.to_string() == text)
}

/// Handles one request.
pub(crate) async fn route(context: &Context, request: &Request) -> Response<Body> {
    let Some(public_url) = PublicUrl::for_request(context.configured_url.as_ref(), request) else {
        error!("the public URL is unknown: PUBLIC_URL is not set and the request has no API Gateway context");
        return response::empty(StatusCode::INTERNAL_SERVER_ERROR);
    };
    let path = public_url::route_path(request);
    let mut site = Site::new(&public_url, &context.community, &context.texts, request.headers());
    let is_form = match *request.method() {
        Method::GET | Method::HEAD => false,
        Method::POST => true,
        _ => return method_not_allowed(site),
    };
    if !is_form {
        site.path = match request.uri().query() {
            Some(query) => format!("{path}?{query}"),
            None => path.clone(),
        };
    }
    let result = respond(context, request, &public_url, site.clone(), &path, is_form).await;
    result.unwrap_or_else(|cause| unavailable(site, &cause))
}

async fn respond<'a>(
    context: &'a Context,
    request: &'a Request,
    public_url: &'a PublicUrl,
    site: Site<'a>,
    path: &str,
    is_form: bool,
) -> Result<Response<Body>, Error> {
    let segments: Vec<_> = path.trim_matches('/').split('/').skip(1).collect();
    let visit = match access::sign_in(context, request, public_url, site, is_form).await? {
        Access::Granted(visit) => visit,
        Access::Refused(response) => return Ok(response),
    };
    match segments.as_slice() {
        [] if !is_form => overview::show(visit).await,
        ["domains", domain, rest @ ..] => match (DomainName::parse(domain), Resource::find(rest, is_form)) {
            (Ok(domain), Some(resource)) => in_domain(visit, &domain, &resource).await,
            _ => Ok(not_found(visit)),
        },
        _ => Ok(not_found(visit)),
    }
}

async fn in_domain(visit: Visit<'_>, domain: &DomainName, resource: &Resource) -> Result<Response<Body>, Error> {
    let admin = match access::authorise(visit, domain, resource).await? {
        Access::Granted(admin) => admin,
        Access::Refused(response) => return Ok(response),
    };
    dispatch(&admin, resource).await
}

async fn dispatch(admin: &Admin<'_>, resource: &Resource) -> Result<Response<Body>, Error> {
    match resource {
        Resource::Domain => domain::show(admin).await,
        Resource::Addresses => addresses::list(admin).await,
        Resource::Address(local_part) => addresses::show(admin, local_part).await,
        Resource::RestoreAddress(local_part) => addresses::restore(admin, local_part).await,
        Resource::Members => members::search(admin).await,
        Resource::Member(id) => members::show(admin, *id).await,
        Resource::BanPreview(id) => bans::preview(admin, *id).await,
        Resource::Ban(id) => bans::ban(admin, *id).await,
        Resource::Unban(id) => bans::unban(admin, *id).await,
        Resource::Plans => plans::list::show(admin).await,
        Resource::DryRun { is_form: false } => plans::dry_run::show(admin).await,
        Resource::DryRun { is_form: true } => plans::dry_run::request(admin).await,
        Resource::Sync => plans::sync::request(admin).await,
        Resource::Run(run) => plans::run::show(admin, *run).await,
        Resource::Decision { run, decision, is_form: false } => plans::decision::preview(admin, *run, *decision).await,
        Resource::Decision { run, decision, is_form: true } => plans::decision::decide(admin, *run, *decision).await,
        Resource::CheckDns => domain::check(admin).await,
        Resource::Failing => domain::failing(admin).await,
        Resource::Admins => admins::show(admin).await,
        Resource::AppointAdmin => admins::appoint(admin).await,
        Resource::ChangeAdmin(member) => changes::change(admin, *member).await,
        Resource::RemoveAdmin(member) => changes::remove(admin, *member).await,
        Resource::Reserved => reserved::show(admin).await,
        Resource::ReserveName => reserved::reserve(admin).await,
        Resource::ReleaseName => reserved::release(admin).await,
        Resource::Audit => audit::show(admin).await,
        Resource::AuditExport => audit::export(admin).await,
    }
}

fn not_found(visit: Visit<'_>) -> Response<Body> {
    response::page(StatusCode::NOT_FOUND, &Message::new(visit.site, "not-found", Next::START))
}

fn method_not_allowed(site: Site<'_>) -> Response<Body> {
    let page = Message::new(site, "use-the-button", Next::START);
    response::allow(response::page(StatusCode::METHOD_NOT_ALLOWED, &page), "GET, HEAD, POST")
}

/// The page for a failure of ours.
fn unavailable(site: Site<'_>, cause: &Error) -> Response<Body> {
    error!(cause = chain(cause), "handling a form or a page failed");
    response::page(StatusCode::SERVICE_UNAVAILABLE, &Message::new(site, "failed", Next::START))
}
