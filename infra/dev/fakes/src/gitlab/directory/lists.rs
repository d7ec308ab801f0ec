//! Members of a group, cached so that the cost of a page does not grow with its group.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Directory, Group, Membership};

/// `lib/gitlab/access.rb`: members at this level are not listed (`app/finders/group_members_finder.rb`,
/// `non_minimal_access`).
const MINIMAL_ACCESS: u8 = 5;

/// A listed member.
#[derive(Clone, Copy, Debug)]
pub struct Member {
    /// The id of the user.
    pub user: u64,
    /// The membership that counts.
    pub membership: Membership,
}

impl Directory {
    /// The members of a group, by membership id.
    pub fn members(&mut self, group: u64, with_inherited: bool) -> Arc<[Member]> {
        if let Some(list) = self.lists.get(&(group, with_inherited)) {
            return list.clone();
        }
        let list: Arc<[Member]> = if with_inherited { self.all_members(group) } else { self.direct_members(group) };
        self.lists.insert((group, with_inherited), list.clone());
        list
    }

    pub(super) fn invalidate_lists(&mut self) {
        self.lists.clear();
    }

    fn direct_members(&self, group: u64) -> Arc<[Member]> {
        let members = self.groups.get(&group).into_iter().flat_map(|group| &group.members);
        sorted(members.map(|(user, membership)| Member { user: *user, membership: *membership }))
    }

    /// `lib/api/helpers/members_helpers.rb`, `find_all_members_for_group`: direct, inherited, and of groups that are
    /// invited to the group or its ancestors. `app/models/member.rb`, `distinct_on_user_with_max_access_level`: one entry
    /// per user, of the highest level; a membership in the group itself counts one more.
    fn all_members(&self, group: u64) -> Arc<[Member]> {
        let lineage = self.lineage(group);
        let own = lineage.iter().flat_map(|source| source.members.iter().map(|(user, own)| (source.id, *user, *own)));
        let shared = lineage.iter().flat_map(|source| &source.invited).flat_map(|invitation| {
            let invited = self.groups.get(&invitation.group);
            invited.into_iter().flat_map(|invited| invited.members.iter()).map(|(user, membership)| {
                // `app/finders/group_members_finder.rb`, `members_of_groups`: never above the level of the invitation.
                let access_level = membership.access_level.min(invitation.access_level);
                (invitation.group, *user, Membership { access_level, ..*membership })
            })
        });
        let mut best = BTreeMap::<u64, (_, Member)>::new();
        for (source, user, membership) in own.chain(shared) {
            if membership.access_level <= MINIMAL_ACCESS {
                continue;
            }
            let level = membership.access_level + u8::from(source == group);
            // The database sorts a missing date as the latest.
            let expiry = membership.expires_at.map_or((1, None), |date| (0, Some(date)));
            let rank = (level, expiry, Reverse(membership.created_at));
            let member = Member { user, membership };
            match best.get(&user) {
                Some((known, _)) if *known >= rank => {}
                _ => drop(best.insert(user, (rank, member))),
            }
        }
        sorted(best.into_values().map(|(_, member)| member))
    }
}

fn sorted(members: impl Iterator<Item = Member>) -> Arc<[Member]> {
    let mut members: Vec<_> = members.collect();
    members.sort_by_key(|member| member.membership.id);
    members.into()
}

impl Group {
    /// Whether the user is a direct member.
    pub fn has(&self, user: u64) -> bool {
        self.members.contains_key(&user)
    }
}
