//! Notices to the operators.

use jiff::SignedDuration;
use membermail_core::member::PersonName;
use membermail_texts::{FluentValue, Translator};

use crate::content::{Content, Labeled};
use crate::{Site, SmtpReply};

/// A permanent failure.
#[derive(Clone, Debug)]
pub struct FailureReport {
    /// The message or notice that failed.
    pub kind: FailureKind,
    /// The name, at the membership source, of the member that it concerns, if any.
    pub name: Option<PersonName>,
    /// The function that failed.
    pub step: String,
    /// The chain of errors.
    pub cause: String,
    /// The id of the request that started it.
    pub request_id: String,
    /// Reports of the same error since the last mail that were only counted.
    pub counted: u64,
    /// How long further reports of the same error are only counted.
    pub quiet: SignedDuration,
}

/// What failed.
#[derive(Clone, Debug)]
pub enum FailureKind {
    /// A queue message, with its error.
    Message(String),
    /// A notice that the mail server rejected.
    Notice(SmtpReply),
}

impl FailureReport {
    pub(crate) fn content(&self, translator: Translator<'_>, site: &Site) -> Content {
        let Self { kind, name, step, cause, request_id, counted, quiet } = self;
        let hours = quiet.as_hours();
        let mut args = vec![
            ("step", FluentValue::from(step.as_str())),
            ("community", site.community.as_str().into()),
            ("source", site.source.as_str().into()),
            ("count", (*counted).into()),
            ("hours", hours.into()),
        ];
        let (id, error) = match kind {
            FailureKind::Message(error) => ("failure", error.clone()),
            FailureKind::Notice(reply) => ("failure-refused", reply.to_string()),
        };
        args.extend([("error", error.clone().into()), ("reply", error.clone().into())]);
        let mut after = Vec::new();
        if *counted > 0 {
            after.push(translator.text("failure-counted", &args));
        }
        if hours > 0 {
            after.push(translator.text("failure-quiet", &args));
        }
        let name = name.as_ref().map(ToString::to_string).unwrap_or_else(|| translator.text("failure-no-member", &[]));
        let rows = [
            ("failure-member", name.as_str()),
            ("failure-step", step),
            ("failure-error", &error),
            ("failure-cause", cause),
            ("failure-request", request_id),
        ];
        Content {
            rows: rows.into_iter().map(|(id, value)| Labeled::new(translator.text(id, &args), value)).collect(),
            after,
            footer: vec![translator.text("footer-operators", &args)],
            ..Content::new(id, &args, translator)
        }
    }
}
