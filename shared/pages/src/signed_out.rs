//! The page after a sign-out.

use askama::Template;
use url::Url;

use crate::layout::Site;

/// The page after a sign-out: the session here has ended, the one at the provider may go on.
#[derive(Template)]
#[template(path = "signed-out.html")]
pub struct SignedOut<'a> {
    /// The site.
    pub site: Site<'a>,
    /// Where the member can sign out at the provider too, if it offers that.
    pub provider_logout: Option<Url>,
}
