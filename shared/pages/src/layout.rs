//! The frame of every page, and the plain page that says one thing and what to do next.

use askama::Template;
use membermail_core::community::{Community, SignIn};

use crate::place::Place;

/// What the frame shows.
#[derive(Clone, Debug)]
pub struct Site<'a> {
    /// Stands before every path in a link.
    pub base: &'a str,
    /// "Ubuntu".
    pub community: &'a str,
    /// Where people help.
    pub help: &'a str,
    /// "Ubuntu One".
    pub provider: &'a str,
    /// The token of the "Sign out" and "Check again" forms, for a member who is signed in.
    pub sign_out: Option<String>,
}

impl<'a> Site<'a> {
    /// The frame for somebody who is not signed in.
    pub fn new(place: &'a Place, community: &'a Community) -> Self {
        let SignIn::OpenId2 { title: provider, .. } = &community.sign_in;
        Self {
            base: place.base(),
            community: &community.title,
            help: community.help.as_str(),
            provider,
            sign_out: None,
        }
    }
}

/// A link that is offered as the next step.
#[derive(Clone, Copy, Debug)]
pub struct Next<'a> {
    /// Begins with a slash.
    pub path: &'a str,
    /// What the button says.
    pub label: &'a str,
}

/// A page with one sentence and one way on.
#[derive(Template)]
#[template(path = "message.html")]
pub struct Message<'a> {
    /// The frame.
    pub site: Site<'a>,
    /// What happened.
    pub heading: &'a str,
    /// What it means and what to do.
    pub text: &'a str,
    /// The way on.
    pub next: Next<'a>,
}
