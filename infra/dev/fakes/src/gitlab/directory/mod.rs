//! Users, groups and memberships.

mod change;
mod group;
mod lists;
mod seed;
mod user;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

pub use change::{GroupChange, NewGroup, Rejected, UserChange};
pub use group::{Group, Invitation, Membership};
pub use lists::Member;
pub use user::{User, UserState};

/// Users and groups.
#[derive(Clone, Debug, Default)]
pub struct Directory {
    users: BTreeMap<u64, User>,
    groups: BTreeMap<u64, Group>,
    /// Ids by current username in lower case: usernames are unique without regard to case (`app/models/user.rb`,
    /// `by_username`).
    usernames: HashMap<String, u64>,
    last_user: u64,
    last_group: u64,
    last_membership: u64,
    /// Cached lists of members, by group and whether they include inherited ones.
    lists: HashMap<(u64, bool), Arc<[Member]>>,
}

impl Directory {
    /// All users.
    pub fn users(&self) -> impl Iterator<Item = &User> {
        self.users.values()
    }

    /// The user of this id, or else of this current username.
    pub fn user(&self, id_or_username: &str) -> Option<&User> {
        self.user_by_id(self.user_id(id_or_username)?)
    }

    /// The user of this id.
    pub fn user_by_id(&self, id: u64) -> Option<&User> {
        self.users.get(&id)
    }

    fn user_id(&self, id_or_username: &str) -> Option<u64> {
        match id_or_username.parse() {
            Ok(id) => Some(id),
            Err(_) => self.usernames.get(&id_or_username.to_lowercase()).copied(),
        }
    }

    /// The group of this id, or else at this path. `lib/api/helpers.rb`, `find_group`: digits are an id, and the old path
    /// of a renamed group leads to nothing. `app/models/concerns/routable.rb`: case does not matter if no path matches
    /// exactly.
    pub fn group(&self, id_or_path: &str) -> Option<&Group> {
        if let Ok(id) = id_or_path.parse() {
            return self.groups.get(&id);
        }
        let exact = self.groups.values().find(|group| group.full_path == id_or_path);
        exact.or_else(|| self.groups.values().find(|group| group.full_path.eq_ignore_ascii_case(id_or_path)))
    }

    /// The group and its ancestors, from the group up.
    fn lineage(&self, group: u64) -> Vec<&Group> {
        let mut found = Vec::new();
        let mut next = self.groups.get(&group);
        while let Some(group) = next {
            found.push(group);
            next = group.parent_id.and_then(|parent| self.groups.get(&parent));
        }
        found
    }

    /// Paths of the groups in which a user has a membership of their own.
    pub fn direct_groups(&self, user: u64) -> Vec<(&str, u8)> {
        let groups = self.groups.values();
        groups.filter_map(|group| Some((&*group.full_path, group.members.get(&user)?.access_level))).collect()
    }

    /// Paths of the groups that a user belongs to directly or through an ancestor (oidc.md, 2.2).
    pub fn groups_with_inherited(&self, user: u64) -> Vec<&str> {
        let is_member = |group: &&Group| self.lineage(group.id).iter().any(|group| group.members.contains_key(&user));
        self.groups.values().filter(is_member).map(|group| &*group.full_path).collect()
    }
}
