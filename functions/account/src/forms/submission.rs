//! A form that passed the checks, and what it can be answered with.

use jiff::Timestamp;
use lambda_http::http::StatusCode;
use lambda_http::{Body, Request, Response};
use membermail_core::audit::{Actor, Cause};
use membermail_core::message::NotifyMessage;
use membermail_identity::session::SessionId;
use membermail_pages::form;
use membermail_pages::layout::{Message, Next, Site};
use membermail_pages::public_url::{self, PublicUrl};
use membermail_pages::response;
use membermail_runtime::batch::chain;
use membermail_store::Member;
use membermail_texts::Args;
use tracing::error;
use ulid::Ulid;

use crate::context::Context;

/// A form of a member who is signed in.
pub(crate) struct Submission<'a> {
    pub(crate) context: &'a Context,
    pub(crate) request: &'a Request,
    pub(crate) public_url: &'a PublicUrl,
    /// The layout of a page with an answer.
    pub(crate) site: Site<'a>,
    pub(crate) session: SessionId,
    /// The member whose account page the session shows.
    pub(crate) member: Member,
    pub(crate) now: Timestamp,
}

impl<'a> Submission<'a> {
    /// The value of a field that the form has exactly once.
    pub(crate) fn field(&self, name: &str) -> Option<String> {
        form::field(self.request, name)
    }

    /// All values of a field.
    pub(crate) fn values(&self, name: &str) -> Vec<String> {
        form::values(self.request, name)
    }

    pub(crate) fn request_id(&self) -> &'a str {
        public_url::request_id(self.request)
    }

    /// The cause of what the form changes.
    pub(crate) fn cause(&self) -> Cause<'a> {
        Cause { actor: Actor::Member, by: None, request_id: self.request_id(), now: self.now }
    }

    /// Has the mails about a change sent.
    pub(crate) async fn announce(&self, entry: Ulid) {
        announce(self.context, entry, self.request_id()).await;
    }

    /// Continues on a page of ours.
    pub(crate) fn see(&self, path: &str) -> Response<Body> {
        response::see_other(self.public_url.join(path).as_str())
    }

    /// Explains why nothing was done.
    pub(crate) fn refuse(&self, status: StatusCode, id: &str) -> Response<Body> {
        self.refuse_with(status, id, &[])
    }

    /// The same, with variables.
    pub(crate) fn refuse_with(&self, status: StatusCode, id: &str, args: Args<'_>) -> Response<Body> {
        response::page(status, &Message::with(self.site.clone(), id, args, Next::ADDRESSES))
    }

    /// The answer to a form that lacks a field, or has one of an unknown form.
    pub(crate) fn invalid(&self) -> Response<Body> {
        self.refuse(StatusCode::BAD_REQUEST, "invalid-form")
    }
}

/// Has the mails about a change sent. The change is stored, so a lost message is no failure of the form: the sweep of the
/// outbox sends it again.
pub(crate) async fn announce(context: &Context, entry: Ulid, request_id: &str) {
    let message = NotifyMessage::change(entry, request_id);
    if let Err(cause) = context.notify_queue.send(&message).await {
        error!(cause = chain(&cause), "a change was stored, but its message was not sent; the sweep will send it");
    }
}
