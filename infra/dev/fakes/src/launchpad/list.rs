//! Collections of a person or team. launchpad.md, 5, covers `participants` and `super_teams`; launchpadlib needs the
//! others.

use std::sync::Arc;

use crate::community::{Community, Key, Status};

/// A collection with its rows in order.
pub(super) struct List {
    /// Name in the request counts.
    pub(super) kind: &'static str,
    pub(super) rows: Rows,
}

/// Keys of the rows; only the rows of the requested page are looked up.
pub(super) enum Rows {
    /// People and teams.
    Entries(Arc<[Key]>),
    /// Teams only.
    Teams(Arc<[Key]>),
    /// Memberships, as team and member.
    Memberships(Vec<(Key, Key)>),
}

impl List {
    pub(super) fn len(&self) -> usize {
        match &self.rows {
            Rows::Entries(keys) | Rows::Teams(keys) => keys.len(),
            Rows::Memberships(pairs) => pairs.len(),
        }
    }

    /// The type of its pages in the WADL.
    pub(super) fn page_type(&self) -> &'static str {
        match &self.rows {
            Rows::Entries(_) => "person-page-resource",
            Rows::Teams(_) => "team-page-resource",
            Rows::Memberships(_) => "team_membership-page-resource",
        }
    }
}

/// The collection with this name.
pub(super) fn of(community: &mut Community, key: &Key, name: &str) -> Option<List> {
    let (kind, rows) = match name {
        "participants" => ("participants", Rows::Entries(community.participants(key))),
        "members" => ("members", Rows::Entries(community.members(key))),
        "admins" => ("admins", with_status(community, key, Status::Administrator)),
        "expired_members" => ("expired_members", with_status(community, key, Status::Expired)),
        "deactivated_members" => ("deactivated_members", with_status(community, key, Status::Deactivated)),
        // 5: all public teams of a person, direct and indirect.
        "super_teams" => {
            let mut teams = community.teams_of(key);
            teams.retain(|team| !community.is_hidden(team));
            ("super_teams", Rows::Teams(community.sort_listed(teams)))
        }
        "sub_teams" => {
            let all = community.participants(key);
            let teams = all.iter().filter(|key| community.team(key).is_some()).cloned().collect();
            ("sub_teams", Rows::Teams(teams))
        }
        "members_details" => {
            let members = community.members(key);
            let memberships = members.iter().map(|member| (key.clone(), member.clone())).collect();
            ("members_details", Rows::Memberships(memberships))
        }
        // Includes ended memberships.
        "memberships_details" => {
            let teams = community.teams().filter(|(_, team)| team.memberships.contains_key(key));
            let memberships = teams.map(|(team, _)| (team.clone(), key.clone())).collect();
            ("memberships_details", Rows::Memberships(memberships))
        }
        _ => return None,
    };
    Some(List { kind, rows })
}

fn with_status(community: &Community, team: &Key, status: Status) -> Rows {
    let memberships = community.team(team).into_iter().flat_map(|(_, team)| &team.memberships);
    let members = memberships.filter(|(_, membership)| membership.status == status);
    Rows::Entries(members.map(|(key, _)| key.clone()).collect())
}
