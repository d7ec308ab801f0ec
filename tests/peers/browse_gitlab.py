"""Reads a group of GitLab with python-gitlab, and prints the result as JSON.

`browse_gitlab.py http://127.0.0.1:PORT TOKEN GROUP USER` reads the group of this path, its members, and a user by id.
"""

import json
import sys

import gitlab


def failure(call):
    """The status of the error that a call raises."""
    try:
        call()
    except gitlab.exceptions.GitlabError as error:
        return [type(error).__name__, error.response_code, error.error_message]
    return None


def member(entry):
    return {
        "id": entry.id,
        "username": entry.username,
        "state": entry.state,
        "access_level": entry.access_level,
        "expires_at": entry.expires_at,
    }


def browse(root, token, path, user_id):
    client = gitlab.Gitlab(root, private_token=token, retry_transient_errors=False)
    client.auth()
    group = client.groups.get(path)
    user = client.users.get(user_id)
    pages = group.members_all.list(iterator=True, per_page=100)
    everybody = [member(entry) for entry in pages]
    stranger = gitlab.Gitlab(root, private_token="wrong")
    anonymous = gitlab.Gitlab(root)
    return {
        "own": client.user.username,
        "group": {"id": group.id, "full_path": group.full_path, "parent_id": group.parent_id},
        "user": {"id": user.id, "username": user.username, "state": user.state, "bot": user.bot},
        "direct": [member(entry) for entry in group.members.list(get_all=True)],
        "all": everybody,
        "total": pages.total,
        "total_pages": pages.total_pages,
        "per_page": pages.per_page,
        "one": member(group.members_all.get(user_id)),
        "no_group": failure(lambda: client.groups.get("no/such/group")),
        "no_user": failure(lambda: client.users.get(1)),
        "no_member": failure(lambda: group.members_all.get(1)),
        "wrong_token": failure(lambda: stranger.groups.get(path)),
        "no_token": failure(lambda: anonymous.groups.get(path).members_all.list()),
    }


def main():
    json.dump(browse(*sys.argv[1:]), sys.stdout)


main()
