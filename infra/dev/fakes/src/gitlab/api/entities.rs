//! Entries of responses: the fields of `lib/api/entities`, without those for admins and for features that the fake lacks.

use serde_json::{Value, json};

use crate::gitlab::directory::{Group, Membership, User, UserState};

/// `user_safe.rb` and `user_basic.rb`.
fn basic(user: &User, root: &str) -> Value {
    json!({
        "id": user.id,
        "username": user.username,
        "name": user.name,
        "state": user.state,
        "locked": false,
        "avatar_url": null,
        "web_url": format!("{root}/{}", user.username),
    })
}

/// `user.rb`.
pub(super) fn user(user: &User, root: &str) -> Value {
    let mut entry = basic(user, root);
    // Guess: the profile of a blocked user is not readable (`app/policies/user_policy.rb`, `read_user_profile`).
    if user.state == UserState::Active {
        entry["created_at"] = json!(user.created_at.to_string());
    }
    entry["public_email"] = json!(user.public_email);
    entry["bot"] = json!(user.is_bot);
    for field in ["bio", "location", "linkedin", "twitter", "website_url", "organization", "job_title"] {
        entry[field] = json!("");
    }
    entry["pronouns"] = Value::Null;
    entry["work_information"] = Value::Null;
    entry
}

/// `user_public.rb`: with the address, since it is the own one.
pub(super) fn own_user(own: &User, root: &str) -> Value {
    let mut entry = user(own, root);
    entry["email"] = json!(own.email);
    entry
}

/// `member.rb`: the user, merged with the membership. It does not say whether the user is a bot.
pub(super) fn member(user: &User, membership: &Membership, root: &str) -> Value {
    let mut entry = basic(user, root);
    entry["access_level"] = json!(membership.access_level);
    entry["created_at"] = json!(membership.created_at.to_string());
    entry["expires_at"] = json!(membership.expires_at.map(|date| date.to_string()));
    entry
}

/// `basic_group_details.rb` and `group.rb`. The fake has no projects.
pub(super) fn group(group: &Group, root: &str) -> Value {
    json!({
        "id": group.id,
        "web_url": format!("{root}/groups/{}", group.full_path),
        "name": group.name,
        "path": group.full_path.rsplit('/').next(),
        "description": "",
        "visibility": if group.is_private { "private" } else { "public" },
        "avatar_url": null,
        "full_name": group.full_path.replace('/', " / "),
        "full_path": group.full_path,
        "created_at": group.created_at.to_string(),
        "parent_id": group.parent_id,
        "organization_id": 1,
    })
}
