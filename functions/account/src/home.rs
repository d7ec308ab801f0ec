//! The account page of a signed-in member, or the welcome page.

use lambda_http::http::StatusCode;
use lambda_http::{Body, Request, Response};
use membermail_core::member;
use membermail_pages::account::{Account, AccountState, View, Welcome};
use membermail_pages::layout::{Message, Next, Site};
use membermail_pages::public_url::PublicUrl;
use membermail_pages::response;
use membermail_pages::wording::Wording;
use membermail_runtime::batch::chain;
use membermail_store::{Member, StoreError, StoredAlias, TestMessage};
use tracing::error;

use crate::context::Context;
use crate::error::Error;
use crate::mailboxes;
use crate::viewer::{self, Viewer};

/// Renders the account page, or the welcome page if no member is signed in.
pub(crate) async fn home(
    context: &Context,
    request: &Request,
    public_url: &PublicUrl,
    site: Site<'_>,
) -> Response<Body> {
    let member = match viewer::find(context, request, public_url).await {
        Ok(Some(Viewer { member, .. })) => member,
        Ok(None) => {
            // The cookie may be of a session that has ended.
            let site = Site { csrf_token: None, ..site };
            return response::page(StatusCode::OK, &Welcome { site, community: &context.community });
        }
        Err(cause) => return unavailable(site, &cause.into()),
    };
    let site = site.in_language(member.chosen_language());
    match view(context, &member, site.wording).await {
        Ok(view) => response::page(StatusCode::OK, &Account { site, view }),
        Err(cause) => unavailable(site, &cause),
    }
}

/// The content of a member's account page.
async fn view(context: &Context, member: &Member, wording: Wording<'_>) -> Result<View, Error> {
    let aliases = stored_aliases(context, member).await?;
    let now = context.clock.now();
    let failing = context.store.failing_among(aliases.iter().map(|stored| &stored.alias), now).await?;
    let refusals = context.store.refusals_of(member.id).await?;
    let mailboxes = mailboxes::load(context, member).await?;
    let tests = test_messages(context, member).await?;
    let state = AccountState {
        check: member.check.state_at(now),
        outcome: member.check.outcome.as_ref(),
        ban_reason: member.ban_reason.as_ref(),
        aliases: &aliases,
        mailboxes: &mailboxes,
        tests: &tests,
        test_id: Some(member::ulid(now, &*context.random)),
        session_epoch: member.session_epoch,
        failing: &failing,
        refusals: &refusals,
        now,
    };
    Ok(View::new(&state, &context.community, wording))
}

/// The aliases of a member and of all members linked to them, sorted by address.
async fn stored_aliases(context: &Context, member: &Member) -> Result<Vec<StoredAlias>, StoreError> {
    let mut all = Vec::new();
    for id in member.ids() {
        all.extend(context.store.aliases_of(id).await?);
    }
    all.sort_by(|one, other| one.alias.address.cmp(&other.alias.address));
    Ok(all)
}

async fn test_messages(context: &Context, member: &Member) -> Result<Vec<TestMessage>, StoreError> {
    let mut all = Vec::new();
    for id in member.ids() {
        all.extend(context.store.test_messages_of(id).await?);
    }
    Ok(all)
}

fn unavailable(site: Site<'_>, cause: &Error) -> Response<Body> {
    error!(cause = chain(cause), "rendering the account page failed");
    response::page(StatusCode::SERVICE_UNAVAILABLE, &Message::new(site, "account-failed", Next::TRY_AGAIN))
}
