//! A user.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A user.
#[derive(Clone, Debug)]
pub struct User {
    /// The immutable id. It is the subject of ID tokens (`config/initializers/doorkeeper_openid_connect.rb`).
    pub id: u64,
    /// The current username. Users can change it.
    pub username: String,
    /// The username at creation. It ties the user to a person of the fake of Ubuntu One, for `openid2_id`.
    pub key: String,
    /// The display name.
    pub name: String,
    /// The state of the account.
    pub state: UserState,
    /// Whether the user is a bot, for example of a group access token.
    pub is_bot: bool,
    /// The primary address, which only the scope `email` shows.
    pub email: String,
    /// Whether the primary address is verified.
    pub is_email_verified: bool,
    /// The address on the profile, if any.
    pub public_email: Option<String>,
    /// The creation time.
    pub created_at: Timestamp,
    /// Claims that replace those of the provider; null removes one.
    pub claims: Map<String, Value>,
    /// The case that this user represents, for the list at the provider; empty if none.
    pub scenario: &'static str,
}

/// The states of `app/models/user.rb`, `state_machine :state`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UserState {
    /// In use.
    #[default]
    Active,
    /// Blocked by an admin.
    Blocked,
    /// Blocked because LDAP no longer has the person.
    LdapBlocked,
    /// Banned by an admin.
    Banned,
    /// Deactivated by an admin or for lack of use.
    Deactivated,
    /// Registered, and not yet approved by an admin.
    BlockedPendingApproval,
}

impl User {
    /// Whether the user can sign in. `config/initializers/doorkeeper_openid_connect.rb`: `User.active`, which has no
    /// internal users; `app/policies/global_policy.rb`: bots of projects cannot log in.
    pub fn can_sign_in(&self) -> bool {
        self.state == UserState::Active && !self.is_bot
    }
}
