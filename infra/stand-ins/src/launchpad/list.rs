//! The lists of a person or team. launchpad.md, 5, states `participants` and `super_teams`; launchpadlib browses the
//! others.

use std::sync::Arc;

use crate::community::{Community, Key, Membership, Status};

/// A list: what it is of, and its entries in order.
pub(super) struct List {
    /// Its name where requests are counted.
    pub(super) kind: &'static str,
    pub(super) of: Of,
}

/// The rows of a list. They are keys: only a page looks its own rows up.
pub(super) enum Of {
    /// People and teams.
    Entries(Arc<[Key]>),
    /// Teams only.
    Teams(Arc<[Key]>),
    /// Memberships, by team and member.
    Memberships(Vec<(Key, Key)>),
}

impl List {
    pub(super) fn len(&self) -> usize {
        match &self.of {
            Of::Entries(keys) | Of::Teams(keys) => keys.len(),
            Of::Memberships(pairs) => pairs.len(),
        }
    }

    /// The type of its pages in Launchpad's description.
    pub(super) fn page_type(&self) -> &'static str {
        match &self.of {
            Of::Entries(_) => "person-page-resource",
            Of::Teams(_) => "team-page-resource",
            Of::Memberships(_) => "team_membership-page-resource",
        }
    }
}

/// The list of that name.
pub(super) fn of(community: &mut Community, key: &Key, name: &str) -> Option<List> {
    let list = |kind, of| Some(List { kind, of });
    match name {
        "participants" => list("participants", Of::Entries(community.participants(key))),
        "members" => list("members", Of::Entries(community.members(key))),
        "admins" => list("admins", Of::Entries(with_status(community, key, Status::Administrator))),
        "expired_members" => list("expired_members", Of::Entries(with_status(community, key, Status::Expired))),
        "deactivated_members" => {
            list("deactivated_members", Of::Entries(with_status(community, key, Status::Deactivated)))
        }
        // 5: all public teams of one person, direct and indirect.
        "super_teams" => {
            let teams = community.teams_of(key).into_iter().filter(|team| !community.is_hidden(team));
            list("super_teams", Of::Teams(community.in_order(teams.collect::<Vec<_>>())))
        }
        "sub_teams" => {
            let all = community.participants(key);
            let teams = all.iter().filter(|key| community.team(key).is_some()).cloned().collect();
            list("sub_teams", Of::Teams(teams))
        }
        "members_details" => {
            let members = community.members(key);
            list(
                "members_details",
                Of::Memberships(members.iter().map(|member| (key.clone(), member.clone())).collect()),
            )
        }
        // Ended memberships of a person are in this list too.
        "memberships_details" => {
            let teams = community.teams().filter(|(_, team)| team.memberships.contains_key(key));
            list("memberships_details", Of::Memberships(teams.map(|(team, _)| (team.clone(), key.clone())).collect()))
        }
        _ => None,
    }
}

fn with_status(community: &Community, team: &Key, status: Status) -> Arc<[Key]> {
    let memberships = community.team(team).into_iter().flat_map(|(_, team)| &team.memberships);
    let is_meant = |membership: &Membership| membership.status == status;
    memberships.filter(|(_, membership)| is_meant(membership)).map(|(key, _)| key.clone()).collect()
}
