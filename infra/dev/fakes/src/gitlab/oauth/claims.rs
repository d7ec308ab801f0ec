//! Claims about a user (`config/initializers/doorkeeper_openid_connect.rb`).

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::grants::{Access, Grant};
use crate::gitlab::CLIENT_ID;
use crate::gitlab::directory::{Directory, User};
use crate::state::State;

/// `doorkeeper-openid_connect`, `lib/doorkeeper/openid_connect/config.rb`: the default of `expiration`, in seconds.
const ID_TOKEN_SECONDS: i64 = 120;

/// The claims of an ID token; `None` if the user cannot sign in (`resource_owner_from_access_token`).
pub(super) fn id_token(state: &State, root: &str, grant: &Grant, now: Timestamp) -> Option<Value> {
    let directory = &state.gitlab.directory;
    let user = directory.user_by_id(grant.access.user).filter(|user| user.can_sign_in())?;
    let mut claims = common(user, &grant.access, root);
    // `lib/doorkeeper/openid_connect/id_token.rb`. There is no `at_hash` and no `azp`.
    claims.extend(object(json!({
        "iss": root,
        "sub": user.id.to_string(),
        "aud": CLIENT_ID,
        "exp": now.as_second() + ID_TOKEN_SECONDS,
        "iat": now.as_second(),
        "nonce": grant.nonce,
        "auth_time": now.as_second(),
        "groups_direct": directory.direct_groups(user.id).iter().map(|(path, _)| path).collect::<Vec<_>>(),
    })));
    if grant.access.scopes.iter().any(|scope| scope == "openid2") {
        claims.insert("openid2_id".to_owned(), openid2_id(state, user, root).into());
    }
    Some(finish(claims, user))
}

/// The claims of UserInfo.
pub(super) fn user_info(directory: &Directory, access: &Access, root: &str) -> Option<Value> {
    let user = directory.user_by_id(access.user).filter(|user| user.can_sign_in())?;
    let direct = directory.direct_groups(user.id);
    let at = |level: u8| {
        let paths: Vec<_> = direct.iter().filter(|(_, own)| *own == level).map(|(path, _)| *path).collect();
        // `presence`: null instead of an empty list.
        if paths.is_empty() { Value::Null } else { json!(paths) }
    };
    let mut claims = common(user, access, root);
    claims.extend(object(json!({
        "sub": user.id.to_string(),
        "groups": directory.groups_with_inherited(user.id),
        "https://gitlab.org/claims/groups/owner": at(50),
        "https://gitlab.org/claims/groups/maintainer": at(40),
        "https://gitlab.org/claims/groups/developer": at(30),
    })));
    Some(finish(claims, user))
}

/// Claims of both. Without the scope `email`, only an address on the profile is sent.
fn common(user: &User, access: &Access, root: &str) -> Map<String, Value> {
    let has_email = access.scopes.iter().any(|scope| scope == "email");
    let (email, is_verified) = match &user.public_email {
        _ if has_email => (Some(&user.email), Some(user.is_email_verified)),
        // Guess: an address on the profile is verified; users can only choose one that is.
        Some(address) => (Some(address), Some(true)),
        None => (None, None),
    };
    // Guess: the real value is salted with a secret, and is of no use to a new client.
    let legacy: String = Sha256::digest(user.id.to_string()).iter().map(|byte| format!("{byte:02x}")).collect();
    object(json!({
        "sub_legacy": legacy,
        "name": user.name,
        "nickname": user.username,
        "preferred_username": user.username,
        "email": email,
        "email_verified": is_verified,
        "profile": format!("{root}/{}", user.username),
    }))
}

/// The identifier of the same person at the fake of Ubuntu One, the former provider.
fn openid2_id(state: &State, user: &User, root: &str) -> Option<String> {
    let person = state.community.person(&user.key)?;
    Some(format!("{root}/+id/{}", person.identifier))
}

/// Replaces claims by those of the controls, and drops empty ones (`as_json` of `id_token.rb` and `user_info.rb`).
fn finish(mut claims: Map<String, Value>, user: &User) -> Value {
    claims.extend(user.claims.clone());
    claims.retain(|_, value| !value.is_null() && value != "");
    claims.into()
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}
