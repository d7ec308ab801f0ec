"""Reads Launchpad with launchpadlib, without signing in, and prints the result as JSON.

`browse_launchpad.py wadl` prints the path of launchpadlib's description of the web service (WADL).
`browse_launchpad.py http://127.0.0.1:PORT/ TEAM PERSON MEMBER` reads a team and its members.
"""

import json
import pathlib
import sys
import tempfile

import launchpadlib
from launchpadlib.launchpad import Launchpad


def membership(details):
    return {
        "team": details.team.name,
        "member": details.member.name,
        "status": details.status,
        "joined": details.date_joined.isoformat(),
        "expires": details.date_expires and details.date_expires.isoformat(),
    }


def name_of(launchpad, name):
    try:
        return launchpad.people[name].name
    except KeyError:
        return None


def browse(root, team_name, person_name, member_name):
    with tempfile.TemporaryDirectory() as cache:
        launchpad = Launchpad.login_anonymously(
            "membermail-tests", service_root=root, launchpadlib_dir=cache, version="1.0"
        )
        person, team = launchpad.people[person_name], launchpad.people[team_name]
        participants = list(team.participants)
        return {
            "person": {
                "name": person.name,
                "is_team": person.is_team,
                "is_valid": person.is_valid,
                "is_ubuntu_coc_signer": person.is_ubuntu_coc_signer,
                "time_zone": person.time_zone,
                "super_teams": sorted(super_team.name for super_team in person.super_teams),
            },
            "team": {"name": team.name, "is_team": team.is_team, "owner": team.team_owner.name},
            "total": len(team.participants),
            "participants": [participant.name for participant in participants],
            "people": sum(not participant.is_team for participant in participants),
            "slice": [participant.name for participant in team.participants[70:75]],
            "members_details": [membership(details) for details in team.members_details[:3]],
            "memberships": [membership(details) for details in launchpad.people[member_name].memberships_details],
            "found": [found.name for found in launchpad.people.findPerson(text=person_name)],
            "stranger": name_of(launchpad, "no-such-person"),
        }


def main():
    if sys.argv[1] == "wadl":
        print(pathlib.Path(launchpadlib.__file__).parent / "testing" / "launchpad-wadl.xml")
    else:
        json.dump(browse(*sys.argv[1:]), sys.stdout)


main()
