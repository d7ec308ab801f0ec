//! A fake of GitLab: the parts of its REST API that Membermail reads, and its OpenID Connect provider, with an invented
//! directory of users and groups.
//!
//! The sources are GitLab's (`gitlabhq/gitlabhq`) and those of the gems of its provider, `doorkeeper` and
//! `doorkeeper-openid_connect`; comments name the file. oidc.md is the fact sheet. Guesses are marked. One thing is not
//! GitLab's: the scope `openid2` ([`oauth`]).

pub mod api;
pub mod control;
pub mod directory;
pub mod fault;
pub mod oauth;
mod shifts;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use jiff::Timestamp;

use crate::faults::Faults;
use crate::state::Shared;
use directory::Directory;
use oauth::{Application, Grants, SigningKey};
use shifts::PageShifts;

/// The token of the account that reads the API. Its user is [`READER`].
pub const TOKEN: &str = "fake-gitlab-token";
/// The user of [`TOKEN`]: an ordinary account in no group.
pub const READER: &str = "membermail-reader";
/// The id of the registered client.
pub const CLIENT_ID: &str = "membermail";
/// The secret of the registered client.
pub const CLIENT_SECRET: &str = "fake-gitlab-client-secret";

/// Everything of GitLab that can change.
#[derive(Default)]
pub struct GitLab {
    /// Users and groups.
    pub directory: Directory,
    /// Tokens of the API with the id of their user.
    pub tokens: BTreeMap<String, u64>,
    /// Faults of the API.
    pub faults: Faults<fault::Api>,
    /// Faults of the provider.
    pub oauth_faults: Faults<fault::OAuth>,
    /// Changes between two pages of a group.
    shifts: PageShifts,
    application: Application,
    grants: Grants,
    key: Option<Arc<SigningKey>>,
}

impl GitLab {
    /// The initial state, with about this many direct members of `community/members`.
    pub fn seeded(members: usize, now: Timestamp) -> Self {
        let directory = Directory::seeded(members, now);
        let reader = directory.user(READER).map(|user| user.id);
        let tokens = reader.into_iter().map(|id| (TOKEN.to_owned(), id)).collect();
        Self { directory, tokens, ..Self::default() }
    }

    /// The initial state with the same signing key: generating one takes long.
    pub(crate) fn reset(&mut self, members: usize, now: Timestamp) {
        let key = self.key.take();
        *self = Self { key, ..Self::seeded(members, now) };
    }
}

/// All routes.
pub fn router() -> Router<Shared> {
    api::router().merge(oauth::router())
}
