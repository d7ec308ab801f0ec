//! Which path and method is what.

use lambda_http::http::{Method, StatusCode};
use lambda_http::{Body, Request, Response};
use membermail_pages::assets::{self, Asset};
use membermail_pages::data::Erase;
use membermail_pages::layout::{Message, Next, Site};
use membermail_pages::public_url::{self, PublicUrl};
use membermail_pages::response;
use tracing::error;

use crate::context::Context;
use crate::forms::{self, Form};
use crate::status::{self, Format};
use crate::{home, language, lists, proofs, viewer};

/// Handles one request.
pub(crate) async fn route(context: &Context, request: &Request) -> Response<Body> {
    let Some(public_url) = PublicUrl::for_request(context.configured_url.as_ref(), request) else {
        error!("the public URL is unknown: PUBLIC_URL is not set and the request has no API Gateway context");
        return response::empty(StatusCode::INTERNAL_SERVER_ERROR);
    };
    let path = public_url::route_path(request);
    let mut site = Site::new(&public_url, &context.community, &context.texts, request.headers());
    let Some(resource) = Resource::find(&path) else {
        return response::page(StatusCode::NOT_FOUND, &Message::new(site, "not-found", Next::ADDRESSES));
    };
    let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
    if let (Resource::Page(_) | Resource::Proof(_), true) = (&resource, is_read) {
        site.path = match request.uri().query() {
            Some(query) => format!("{path}?{query}"),
            None => path,
        };
    }
    match (resource, request.method(), is_read) {
        (Resource::Language, &Method::POST, _) => language::choose(context, request, &public_url, site).await,
        (Resource::Form(form) | Resource::Page(Page { form: Some(form), .. }), &Method::POST, _) => {
            forms::submit(context, request, &public_url, site, form).await
        }
        (Resource::Proof(Proof::Confirm), &Method::POST, _) => {
            forms::submit(context, request, &public_url, site, Form::Confirm).await
        }
        (Resource::Proof(Proof::Undo), &Method::POST, _) => forms::revert(context, request, site).await,
        (Resource::Language | Resource::Form(_), ..) => method_not_allowed(site, "use-the-button", "POST"),
        (Resource::Home, _, true) => home::home(context, request, &public_url, site).await,
        (Resource::Page(page), _, true) => show(context, request, &public_url, site, page.shows).await,
        (Resource::Proof(Proof::Confirm), _, true) => proofs::confirm(context, request, &public_url, site).await,
        (Resource::Proof(Proof::Undo), _, true) => proofs::undo(context, request, site).await,
        (Resource::Status(format), _, true) => status::show(context, request, &public_url, format).await,
        (Resource::Icon, _, true) => response::changing_asset(assets::ICON),
        (Resource::Asset(asset), _, true) => response::asset(asset),
        (Resource::Page(Page { form: Some(_), .. }) | Resource::Proof(_), ..) => {
            method_not_allowed(site, "use-the-button", "GET, HEAD, POST")
        }
        _ => method_not_allowed(site, "read-only", "GET, HEAD"),
    }
}

async fn show<'a>(
    context: &'a Context,
    request: &Request,
    public_url: &PublicUrl,
    site: Site<'a>,
    shows: Shows,
) -> Response<Body> {
    viewer::page(context, request, public_url, site, |viewer, site| async move {
        match shows {
            Shows::Identities => lists::identities(context, viewer, site, request.uri().query()).await,
            Shows::Sessions => lists::sessions(context, viewer, site).await,
            Shows::History => lists::history(context, viewer, site).await,
            Shows::Export => lists::export(context, viewer, site).await,
            Shows::Erase => Ok(response::page(StatusCode::OK, &Erase { site })),
        }
    })
    .await
}

enum Resource {
    Home,
    Page(Page),
    Proof(Proof),
    Form(Form),
    Language,
    Status(Format),
    Icon,
    Asset(Asset),
}

/// A page for members alone, and its form, which has the same path.
struct Page {
    shows: Shows,
    form: Option<Form>,
}

#[derive(Clone, Copy)]
enum Shows {
    Identities,
    Sessions,
    History,
    Export,
    Erase,
}

/// The target of a link in a mail.
enum Proof {
    Confirm,
    Undo,
}

impl Resource {
    fn find(path: &str) -> Option<Self> {
        Some(match path {
            "/" | "" => Self::Home,
            "/language" => Self::Language,
            "/status" => Self::Status(Format::Page),
            "/status.json" => Self::Status(Format::Json),
            "/identities" => Self::Page(Page { shows: Shows::Identities, form: None }),
            "/sessions" => Self::Page(Page { shows: Shows::Sessions, form: None }),
            "/history" => Self::Page(Page { shows: Shows::History, form: None }),
            "/export" => Self::Page(Page { shows: Shows::Export, form: Some(Form::Export) }),
            "/erase" => Self::Page(Page { shows: Shows::Erase, form: Some(Form::Erase) }),
            "/confirm" => Self::Proof(Proof::Confirm),
            "/undo" => Self::Proof(Proof::Undo),
            "/destinations" => Self::Form(Form::AddDestination),
            "/destinations/resend" => Self::Form(Form::ResendCode),
            "/destinations/remove" => Self::Form(Form::RemoveDestination),
            "/addresses/destinations" => Self::Form(Form::ChooseDestinations),
            "/addresses/pause" => Self::Form(Form::Pause),
            "/addresses/delete" => Self::Form(Form::Delete),
            "/addresses/restore" => Self::Form(Form::Restore),
            "/addresses/test" => Self::Form(Form::Test),
            "/identities/remove" => Self::Form(Form::RemoveIdentity),
            "/sessions/end" => Self::Form(Form::EndSession),
            "/sessions/end-all" => Self::Form(Form::EndAllSessions),
            // Browsers request it even without a link to it.
            "/favicon.ico" => Self::Icon,
            path => Self::Asset(path.strip_prefix("/assets/").and_then(assets::find)?),
        })
    }
}

fn method_not_allowed(site: Site<'_>, id: &str, methods: &'static str) -> Response<Body> {
    let page = Message::new(site, id, Next::ADDRESSES);
    response::allow(response::page(StatusCode::METHOD_NOT_ALLOWED, &page), methods)
}
