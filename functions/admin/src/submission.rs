//! What pages and forms of an admin are answered with.

use lambda_http::http::StatusCode;
use lambda_http::{Body, Response};
use membermail_core::audit::{Actor, Cause};
use membermail_core::member::MemberId;
use membermail_core::message::NotifyMessage;
use membermail_pages::admin::{Console, Section};
use membermail_pages::layout::{Message, Next};
use membermail_pages::{form, public_url, response};
use membermail_runtime::batch::chain;
use membermail_texts::Args;
use tracing::error;
use ulid::Ulid;

use crate::access::Admin;
use crate::{admins, reserved};

/// The admin as the actor of a change.
pub(crate) struct Signature(String);

impl Signature {
    pub(crate) fn of(member: MemberId) -> Self {
        Self(member.to_string())
    }
}

impl<'a> Admin<'a> {
    /// The frame of a page of this section.
    pub(crate) fn console(&self, section: Section) -> Console<'a> {
        Console::new(self.visit.site.clone(), &self.domain.domain, section)
    }

    /// The admin's name in the audit log, which [`cause`](Self::cause) needs.
    pub(crate) fn signature(&self) -> Signature {
        Signature::of(self.visit.member.id)
    }

    /// The cause of what a form changes.
    pub(crate) fn cause<'s>(&'s self, signature: &'s Signature) -> Cause<'s> {
        let request_id = public_url::request_id(self.visit.request);
        Cause { actor: Actor::Admin, by: Some(&signature.0), request_id, now: self.visit.now }
    }

    /// The value of a field that the form has exactly once.
    pub(crate) fn field(&self, name: &str) -> Option<String> {
        form::field(self.visit.request, name)
    }

    /// All values of a field.
    pub(crate) fn values(&self, name: &str) -> Vec<String> {
        form::values(self.visit.request, name)
    }

    /// The value of a parameter in the URL, if it is there exactly once.
    pub(crate) fn parameter(&self, name: &str) -> Option<String> {
        form::parameter(self.visit.request, name)
    }

    /// Continues on a page of the domain; `path` is empty or starts with a slash.
    pub(crate) fn see(&self, path: &str) -> Response<Body> {
        let path = format!("/admin/domains/{}{path}", self.domain.domain);
        response::see_other(self.visit.public_url.join(&path).as_str())
    }

    /// Explains why nothing was done.
    pub(crate) fn refuse(&self, status: StatusCode, id: &str) -> Response<Body> {
        let path = format!("/admin/domains/{}", self.domain.domain);
        let next = Next { path: &path, label: "admin-back" };
        response::page(status, &Message::new(self.visit.site.clone(), id, next))
    }

    /// Explains what happened, and leads to a page of the domain. A page about what somebody else did already is no failure.
    pub(crate) fn explain(&self, status: StatusCode, id: &str, args: Args<'_>, path: &str) -> Response<Body> {
        let label = match path {
            admins::PATH => "admins-back",
            reserved::PATH => "reserved-back",
            _ => "admin-back",
        };
        let path = format!("/admin/domains/{}{path}", self.domain.domain);
        let next = Next { path: &path, label };
        response::page(status, &Message::with(self.visit.site.clone(), id, args, next))
    }

    /// Continues on the list of the admin's domains.
    pub(crate) fn see_overview(&self) -> Response<Body> {
        response::see_other(self.visit.public_url.join("/admin").as_str())
    }

    /// The answer to a form that lacks a field, or has one of an unknown form.
    pub(crate) fn invalid(&self) -> Response<Body> {
        self.refuse(StatusCode::BAD_REQUEST, "invalid-form")
    }

    /// The answer to a path that names nothing in this domain.
    pub(crate) fn not_found(&self) -> Response<Body> {
        self.refuse(StatusCode::NOT_FOUND, "not-found")
    }

    /// Has the mails about a change sent. The change is stored, so a lost message is no failure of the form: the sweep of the
    /// outbox sends it again.
    pub(crate) async fn announce(&self, entry: Ulid) {
        let message = NotifyMessage::change(entry, public_url::request_id(self.visit.request));
        if let Err(cause) = self.visit.context.notify_queue.send(&message).await {
            error!(cause = chain(&cause), "a change was stored, but its message was not sent; the sweep will send it");
        }
    }
}
