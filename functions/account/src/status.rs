//! The public status page, and the same data as JSON. Neither reads a session, and both are cached for a minute, so that many
//! visitors during an outage cost few reads of the table.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};
use lambda_http::http::StatusCode;
use lambda_http::{Body, Request, Response};
use membermail_core::language::Language;
use membermail_core::status::{Component, History};
use membermail_pages::form;
use membermail_pages::layout::{Message, Next, Site};
use membermail_pages::public_url::PublicUrl;
use membermail_pages::response;
use membermail_pages::status::{StatusPage, StatusReport, StatusView};
use membermail_runtime::batch::chain;
use membermail_store::StoreError;
use tracing::error;

use crate::context::Context;

/// How long a process serves what it read.
const TTL: SignedDuration = SignedDuration::from_mins(1);
/// The components of the page, in its order.
const COMPONENTS: [Component; 4] = [Component::SignIn, Component::Syncs, Component::DomainChecks, Component::Mail];

/// What this process read last.
#[derive(Default)]
pub struct StatusCache(Mutex<Option<Cached>>);

#[derive(Clone)]
struct Cached {
    histories: Arc<[History]>,
    read_at: Timestamp,
}

/// What a path shows.
#[derive(Clone, Copy)]
pub(crate) enum Format {
    Page,
    Json,
}

/// The page or the JSON document.
pub(crate) async fn show(
    context: &Context,
    request: &Request,
    public_url: &PublicUrl,
    format: Format,
) -> Response<Body> {
    let chosen = chosen_language(request);
    let site = Site::public(public_url, &context.community, &context.texts, request.headers(), chosen.as_ref());
    let now = context.clock.now();
    let histories = match histories(context, now).await {
        Ok(histories) => histories,
        Err(cause) => {
            error!(cause = chain(&cause), "reading the status failed");
            return response::page(StatusCode::SERVICE_UNAVAILABLE, &Message::new(site, "failed", Next::START));
        }
    };
    response::public(match format {
        Format::Page => {
            let view = StatusView::new(&histories, now, site.wording);
            response::page(StatusCode::OK, &StatusPage { site, view })
        }
        Format::Json => response::json(StatusCode::OK, &StatusReport::new(&histories, now)),
    })
}

/// The language of a link of the page. A cookie must not choose it, since the page is cached for all.
fn chosen_language(request: &Request) -> Option<Language> {
    form::parameter(request, "language").and_then(|tag| Language::parse(&tag).ok())
}

/// Stale-if-error: without the table, the last samples of this process soon count as unknown by their age.
async fn histories(context: &Context, now: Timestamp) -> Result<Arc<[History]>, StoreError> {
    let cached = context.status.get().clone();
    if let Some(cached) = &cached
        && (SignedDuration::ZERO..TTL).contains(&now.duration_since(cached.read_at))
    {
        return Ok(cached.histories.clone());
    }
    match read(context, now).await {
        Ok(histories) => {
            *context.status.get() = Some(Cached { histories: histories.clone(), read_at: now });
            Ok(histories)
        }
        Err(cause) => {
            let Some(cached) = cached else { return Err(cause) };
            error!(cause = chain(&cause), "reading the status failed, serving the last one");
            Ok(cached.histories)
        }
    }
}

async fn read(context: &Context, now: Timestamp) -> Result<Arc<[History]>, StoreError> {
    let mut histories = Vec::with_capacity(COMPONENTS.len());
    for component in COMPONENTS {
        histories.push(context.store.status_history(component, now).await?);
    }
    Ok(histories.into())
}

impl StatusCache {
    fn get(&self) -> MutexGuard<'_, Option<Cached>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
