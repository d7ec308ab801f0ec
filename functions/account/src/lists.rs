//! The pages with the sessions, the history and all data of a member.

use lambda_http::http::StatusCode;
use lambda_http::{Body, Response};
use membermail_pages::data::ExportPage;
use membermail_pages::history::{History, HistoryRow};
use membermail_pages::identities::{self, Identities};
use membermail_pages::layout::Site;
use membermail_pages::response;
use membermail_pages::sessions::{SessionRow, Sessions};
use membermail_store::{Export, Member};

use crate::context::Context;
use crate::error::{Error, with_keys};
use crate::mailboxes;
use crate::viewer::Viewer;

/// Entries of the history at most.
const ENTRIES: usize = 100;

/// `GET /sessions`.
pub(crate) async fn sessions(context: &Context, viewer: Viewer, site: Site<'_>) -> Result<Response<Body>, Error> {
    let own = viewer.session.hash();
    let listed = context.store.sessions_of(&viewer.member, context.clock.now()).await?;
    let rows = listed.iter().map(|listed| SessionRow::new(listed, own.as_str(), site.wording)).collect();
    Ok(response::page(StatusCode::OK, &Sessions { site, rows }))
}

/// `GET /identities`; the query says what happened before.
pub(crate) async fn identities(
    context: &Context,
    viewer: Viewer,
    site: Site<'_>,
    query: Option<&str>,
) -> Result<Response<Body>, Error> {
    let Viewer { session, is_fresh, member } = viewer;
    let own = context.store.identities_of(&member).await?;
    let (community, wording) = (&context.community, site.wording);
    let news = identities::news(query, wording);
    let rows = identities::rows(&own, member.name(), community, wording);
    let adding = identities::adding(&session, own.len(), is_fresh, community, wording);
    Ok(response::page(StatusCode::OK, &Identities { site, news, rows, adding }))
}

/// `GET /history`: the last entries about the member and those linked to them.
pub(crate) async fn history(context: &Context, viewer: Viewer, site: Site<'_>) -> Result<Response<Body>, Error> {
    let mut entries = Vec::new();
    for id in viewer.member.ids() {
        entries.extend(context.store.history_of(id, i32::try_from(ENTRIES).unwrap_or(i32::MAX)).await?);
    }
    entries.sort_by_key(|entry| std::cmp::Reverse((entry.at, entry.id)));
    let mailboxes = mailboxes::load(context, &viewer.member).await?;
    let known = mailboxes.into_iter().map(|mailbox| (mailbox.destination.id, mailbox.address)).collect();
    let latest = entries.iter().take(ENTRIES);
    let rows = latest.filter_map(|entry| HistoryRow::new(entry, &known, site.wording)).collect();
    Ok(response::page(StatusCode::OK, &History { site, rows }))
}

/// `GET /export`: everything stored about the member, to read.
pub(crate) async fn export(context: &Context, viewer: Viewer, site: Site<'_>) -> Result<Response<Body>, Error> {
    let export = load_export(context, &viewer.member).await?;
    let json = serde_json::to_string_pretty(&export)?;
    Ok(response::page(StatusCode::OK, &ExportPage::new(site, &export, json)))
}

/// Everything stored about a member.
pub(crate) async fn load_export(context: &Context, member: &Member) -> Result<Export, Error> {
    let (store, now) = (&context.store, context.clock.now());
    with_keys(&context.secret, |sealer| async move { Ok(store.export(&sealer, member, now).await?) }).await
}
