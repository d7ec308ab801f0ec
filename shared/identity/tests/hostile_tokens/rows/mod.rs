//! The table of hostile responses and tokens, for our relying party and for npm's `openid-client`.

mod claims;
mod discovery;
mod requests;
mod responses;
mod tokens;

use membermail_identity::openid_connect::{ProviderError, RedeemError, Refusal};

use super::scene::Scene;

/// What our relying party does.
pub(crate) enum Ours {
    Accepts,
    /// It has not this state: the caller compares it with what it signed for the browser.
    State,
    Refuses(RedeemError),
}

/// What `openid-client` does.
pub(crate) enum Peer {
    /// It accepts what we accept, and refuses what we refuse.
    Same,
    /// It does the opposite, for this reason.
    Differs(&'static str),
}

/// One hostile response or token, or one that must be accepted.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) ours: Ours,
    pub(crate) peer: Peer,
    pub(crate) change: fn(&mut Scene),
}

/// The whole table.
pub(crate) fn all() -> Vec<Row> {
    [responses::rows(), requests::rows(), tokens::rows(), claims::rows(), discovery::rows()]
        .into_iter()
        .flatten()
        .collect()
}

fn accepted(name: &'static str, change: fn(&mut Scene)) -> Row {
    Row { name, ours: Ours::Accepts, peer: Peer::Same, change }
}

fn refused(name: &'static str, refusal: Refusal, change: fn(&mut Scene)) -> Row {
    Row { name, ours: Ours::Refuses(refusal.into()), peer: Peer::Same, change }
}

fn failed(name: &'static str, error: ProviderError, change: fn(&mut Scene)) -> Row {
    Row { name, ours: Ours::Refuses(error.into()), peer: Peer::Same, change }
}

impl Row {
    fn differs(self, why: &'static str) -> Self {
        Self { peer: Peer::Differs(why), ..self }
    }
}

/// Why `openid-client` accepts larger things.
const NO_LIMIT: &str = "it reads responses of any size";
/// Why `openid-client` accepts duplicate members.
const LAST_WINS: &str = "JSON.parse takes the last of several members";
/// Why `openid-client` accepts claims that only an application reads.
const NOT_READ: &str = "it hands claims to the application without reading them";
