//! Notices to the operators.

use fluent_bundle::FluentValue;
use jiff::SignedDuration;
use membermail_core::member::LaunchpadName;

use crate::content::{Content, Pair};
use crate::texts::Speaker;
use crate::{Reply, Site};

/// Something failed for good.
#[derive(Clone, Debug)]
pub struct Failed {
    /// What.
    pub what: What,
    /// Whom it concerns, if it concerns one.
    pub name: Option<LaunchpadName>,
    /// In which function.
    pub step: String,
    /// What led to it.
    pub cause: String,
    /// The request that it began with.
    pub request_id: String,
    /// How many of the same were not mailed since the last mail.
    pub counted: u64,
    /// For how long more of the same are only counted.
    pub quiet: SignedDuration,
}

/// What failed.
#[derive(Clone, Debug)]
pub enum What {
    /// A message, with this error.
    Message(String),
    /// A notice, which the mail server refused.
    Notice(Reply),
}

impl Failed {
    pub(crate) fn content(&self, speaker: Speaker<'_>, site: &Site) -> Content {
        let Self { what, name, step, cause, request_id, counted, quiet } = self;
        let hours = quiet.as_hours();
        let mut args = vec![
            ("step", FluentValue::from(step.as_str())),
            ("community", site.community.as_str().into()),
            ("count", (*counted).into()),
            ("hours", hours.into()),
        ];
        let (id, error) = match what {
            What::Message(error) => ("failure", error.clone()),
            What::Notice(reply) => ("failure-refused", reply.to_string()),
        };
        args.extend([("error", error.clone().into()), ("reply", error.clone().into())]);
        let mut after = Vec::new();
        if *counted > 0 {
            after.push(speaker.say("failure-counted", &args));
        }
        if hours > 0 {
            after.push(speaker.say("failure-quiet", &args));
        }
        let name = name.as_ref().map(ToString::to_string).unwrap_or_else(|| speaker.say("failure-nobody", &[]));
        let rows = [
            ("failure-member", name.as_str()),
            ("failure-step", step),
            ("failure-error", &error),
            ("failure-cause", cause),
            ("failure-request", request_id),
        ];
        Content {
            subject: speaker.part(id, "subject", &args),
            heading: speaker.part(id, "heading", &args),
            paragraphs: speaker.paragraphs(id, "body", &args),
            rows: rows.into_iter().map(|(id, value)| Pair::new(speaker.say(id, &[]), value)).collect(),
            after,
            footer: vec![speaker.say("footer-operators", &args)],
            ..Content::default()
        }
    }
}
