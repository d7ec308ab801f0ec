//! Changes through the controls.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Directory, Group, Invitation, Membership, User, UserState};

/// A change of a user. Absent fields stay unchanged.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct UserChange {
    username: Option<String>,
    name: Option<String>,
    state: Option<UserState>,
    is_bot: Option<bool>,
    email: Option<String>,
    is_email_verified: Option<bool>,
    /// Empty removes it.
    public_email: Option<String>,
    /// Claims that replace those of the provider; null removes one.
    claims: Option<Map<String, Value>>,
    /// Access levels by group. A group keeps the id of an existing membership.
    join: BTreeMap<String, u8>,
    /// Groups to leave.
    leave: BTreeSet<String>,
    /// The day on which each membership ends.
    expire: BTreeMap<String, Date>,
}

/// A group to add.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NewGroup {
    /// The path with those of the ancestors, which must exist.
    pub full_path: String,
    /// The id, or a new one.
    pub id: Option<u64>,
    /// Whether only members see it.
    pub is_private: bool,
    /// Access levels by username or id.
    pub members: BTreeMap<String, u8>,
}

/// A change of a group. Absent fields stay unchanged.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GroupChange {
    /// The new path. The groups below it move with it.
    full_path: Option<String>,
    is_private: Option<bool>,
    /// Access levels of groups to invite.
    invite: BTreeMap<String, u8>,
}

/// The reason why a change is rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejected {
    /// No user or group has this id or name.
    #[error("no user or group has this id or name")]
    Unknown,
    /// Another user or group has this id or name.
    #[error("this id or name is already used")]
    AlreadyUsed,
    /// Not a valid name.
    #[error("this is not a valid name")]
    InvalidName,
    /// Not a direct member of this group.
    #[error("there is no such membership")]
    NotAMember,
}

impl Directory {
    /// Adds a user with this id or a new one, and returns the id.
    pub fn add_user(
        &mut self,
        username: &str,
        id: Option<u64>,
        change: UserChange,
        now: Timestamp,
    ) -> Result<u64, Rejected> {
        self.check_username(username, None)?;
        let id = id.unwrap_or(self.last_user + 1);
        if self.users.contains_key(&id) {
            return Err(Rejected::AlreadyUsed);
        }
        self.last_user = self.last_user.max(id);
        let user = User {
            id,
            key: username.to_owned(),
            name: username.to_owned(),
            email: format!("{}@mail.example", username.to_lowercase()),
            username: username.to_owned(),
            state: UserState::Active,
            is_bot: false,
            is_email_verified: true,
            public_email: None,
            created_at: now,
            claims: Map::new(),
            scenario: "",
        };
        self.usernames.insert(user.username.to_lowercase(), id);
        self.users.insert(id, user);
        self.change_user(&id.to_string(), change, now)?;
        Ok(id)
    }

    /// Changes a user; an error leaves the user unchanged, except for memberships.
    pub fn change_user(&mut self, user: &str, change: UserChange, now: Timestamp) -> Result<(), Rejected> {
        let id = self.user(user).ok_or(Rejected::Unknown)?.id;
        if let Some(username) = &change.username {
            self.check_username(username, Some(id))?;
        }
        let Some(user) = self.users.get_mut(&id) else { return Err(Rejected::Unknown) };
        if let Some(username) = change.username {
            self.usernames.remove(&user.username.to_lowercase());
            self.usernames.insert(username.to_lowercase(), id);
            user.username = username;
        }
        user.name = change.name.unwrap_or_else(|| user.name.clone());
        user.state = change.state.unwrap_or(user.state);
        user.is_bot = change.is_bot.unwrap_or(user.is_bot);
        user.email = change.email.unwrap_or_else(|| user.email.clone());
        user.is_email_verified = change.is_email_verified.unwrap_or(user.is_email_verified);
        if let Some(address) = change.public_email {
            user.public_email = Some(address).filter(|address| !address.is_empty());
        }
        user.claims = change.claims.unwrap_or_else(|| user.claims.clone());
        for (group, level) in change.join {
            self.join(&group, id, level, now)?;
        }
        for (group, date) in change.expire {
            self.membership_mut(&group, id)?.expires_at = Some(date);
        }
        for group in change.leave {
            self.membership_mut(&group, id)?;
            self.group_mut(&group)?.members.remove(&id);
        }
        self.invalidate_lists();
        Ok(())
    }

    /// Deletes a user with all memberships.
    pub fn remove_user(&mut self, user: &str) -> Result<(), Rejected> {
        let id = self.user(user).ok_or(Rejected::Unknown)?.id;
        self.users.remove(&id);
        self.usernames.retain(|_, owner| *owner != id);
        for group in self.groups.values_mut() {
            group.members.remove(&id);
        }
        self.invalidate_lists();
        Ok(())
    }

    /// Adds a group and returns the id.
    pub fn add_group(&mut self, new: NewGroup, now: Timestamp) -> Result<u64, Rejected> {
        let id = new.id.unwrap_or(self.last_group + 1);
        self.check_path(&new.full_path, None)?;
        if self.groups.contains_key(&id) {
            return Err(Rejected::AlreadyUsed);
        }
        let parent_id = self.parent_of(&new.full_path)?;
        self.last_group = self.last_group.max(id);
        let name = new.full_path.rsplit('/').next().unwrap_or_default().to_owned();
        let group = Group {
            id,
            name,
            full_path: new.full_path,
            parent_id,
            is_private: new.is_private,
            created_at: now,
            members: BTreeMap::new(),
            invited: Vec::new(),
        };
        self.groups.insert(id, group);
        for (user, level) in new.members {
            let user = self.user(&user).ok_or(Rejected::Unknown)?.id;
            self.join(&id.to_string(), user, level, now)?;
        }
        Ok(id)
    }

    /// Changes a group.
    pub fn change_group(&mut self, group: &str, change: GroupChange) -> Result<(), Rejected> {
        let id = self.group(group).ok_or(Rejected::Unknown)?.id;
        if let Some(path) = change.full_path {
            self.check_path(&path, Some(id))?;
            let parent_id = self.parent_of(&path)?;
            let old = self.group_mut(&id.to_string())?.full_path.clone() + "/";
            for below in self.groups.values_mut() {
                if let Some(rest) = below.full_path.strip_prefix(&old) {
                    below.full_path = format!("{path}/{rest}");
                }
            }
            let group = self.group_mut(&id.to_string())?;
            (group.full_path, group.parent_id) = (path, parent_id);
        }
        for (invited, access_level) in change.invite {
            let invited = self.group(&invited).ok_or(Rejected::Unknown)?.id;
            self.group_mut(&id.to_string())?.invited.push(Invitation { group: invited, access_level });
        }
        let group = self.group_mut(&id.to_string())?;
        group.is_private = change.is_private.unwrap_or(group.is_private);
        self.invalidate_lists();
        Ok(())
    }

    /// Deletes a group. Its path is free at once.
    pub fn remove_group(&mut self, group: &str) -> Result<(), Rejected> {
        let id = self.group(group).ok_or(Rejected::Unknown)?.id;
        self.groups.remove(&id);
        self.invalidate_lists();
        Ok(())
    }

    pub(super) fn join(&mut self, group: &str, user: u64, access_level: u8, now: Timestamp) -> Result<(), Rejected> {
        self.last_membership += 1;
        let new = Membership { id: self.last_membership, access_level, created_at: now, expires_at: None };
        let membership = self.group_mut(group)?.members.entry(user).or_insert(new);
        membership.access_level = access_level;
        self.invalidate_lists();
        Ok(())
    }

    fn group_mut(&mut self, group: &str) -> Result<&mut Group, Rejected> {
        let id = self.group(group).ok_or(Rejected::Unknown)?.id;
        self.groups.get_mut(&id).ok_or(Rejected::Unknown)
    }

    fn membership_mut(&mut self, group: &str, user: u64) -> Result<&mut Membership, Rejected> {
        self.group_mut(group)?.members.get_mut(&user).ok_or(Rejected::NotAMember)
    }

    fn parent_of(&self, path: &str) -> Result<Option<u64>, Rejected> {
        let Some((parent, _)) = path.rsplit_once('/') else { return Ok(None) };
        Ok(Some(self.group(parent).ok_or(Rejected::Unknown)?.id))
    }

    fn check_username(&self, username: &str, own: Option<u64>) -> Result<(), Rejected> {
        // `lib/gitlab/path_regex.rb`: letters, digits, `_`, `-` and `.`. Digits alone would look like an id here.
        let is_valid = is_path_segment(username) && username.parse::<u64>().is_err();
        let owner = self.usernames.get(&username.to_lowercase());
        match owner {
            _ if !is_valid => Err(Rejected::InvalidName),
            Some(owner) if Some(*owner) != own => Err(Rejected::AlreadyUsed),
            _ => Ok(()),
        }
    }

    fn check_path(&self, path: &str, own: Option<u64>) -> Result<(), Rejected> {
        let is_valid = path.split('/').all(is_path_segment) && path.parse::<u64>().is_err();
        match self.group(path) {
            _ if !is_valid => Err(Rejected::InvalidName),
            Some(group) if Some(group.id) != own => Err(Rejected::AlreadyUsed),
            _ => Ok(()),
        }
    }
}

fn is_path_segment(text: &str) -> bool {
    let is_valid = |octet: u8| octet.is_ascii_alphanumeric() || b"_-.".contains(&octet);
    !text.is_empty() && !text.starts_with('-') && text.bytes().all(is_valid)
}
