"""Notes what functions ask of AWS: LocalStack does not ask IAM, and so whoever checks rights looks at this afterwards."""

import json
import os
import threading
from pathlib import Path
from typing import Any

from localstack.runtime import hooks

# By access key, of which each process of a function has one of its own: the name of its role.
ROLES: dict[str, str] = {}

TABLE = "arn:aws:dynamodb:{region}:{account}:table/{name}"
QUEUE = "arn:aws:sqs:{region}:{account}:{name}"

# Parts of a transaction, by the action that IAM looks at.
PARTS = {"Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem", "ConditionCheck": "ConditionCheckItem"}
# A batch of messages is asked for as each of them.
SINGLE = {"SendMessageBatch": "SendMessage"}


@hooks.on_infra_start()
def note_calls() -> None:
    """Each kind of call once, as a line of JSON, in the file that `MEMBERMAIL_CALLS` names."""
    if file := os.environ.get("MEMBERMAIL_CALLS"):
        from localstack.aws import handlers

        handlers.serve_custom_service_request_handlers.append(Notes(Path(file)))


class Notes:
    """A handler of requests that have been parsed and not been answered."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.seen: set[str] = set()
        self.lock = threading.Lock()

    def __call__(self, _chain: Any, context: Any, _response: Any) -> None:
        role = ROLES.get(access_key(context.request.headers.get("Authorization", "")))
        if not role or not context.operation:
            return
        for asked in authorizations(context):
            line = json.dumps({"role": role, **asked}, sort_keys=True)
            with self.lock:
                if line not in self.seen:
                    self.seen.add(line)
                    with self.file.open("a") as notes:
                        notes.write(line + "\n")


def access_key(authorization: str) -> str:
    """`AWS4-HMAC-SHA256 Credential=KEY/20261124/…`"""
    return authorization.partition("Credential=")[2].partition("/")[0]


def authorizations(context: Any) -> list[dict]:
    """What IAM is asked for a request: action, resource, and of the table the kinds of partitions."""
    operation, request = context.operation.name, context.service_request or {}
    place = {"region": context.region, "account": context.account_id}
    match context.service.service_name:
        case "dynamodb" if operation == "TransactWriteItems":
            return together(
                (PARTS[kind], TABLE.format(name=part["TableName"], **place), partition(part))
                for item in request["TransactItems"]
                for kind, part in item.items()
            )
        case "dynamodb" if operation == "BatchGetItem":
            return [
                {
                    "action": "dynamodb:BatchGetItem",
                    "resource": TABLE.format(name=name, **place),
                    "keys": sorted({partition({"Key": key}) for key in wanted["Keys"]}),
                }
                for name, wanted in request["RequestItems"].items()
            ]
        case "dynamodb":
            resource = TABLE.format(name=request.get("TableName", ""), **place)
            if index := request.get("IndexName"):
                # Its leading key is a member's id and no kind of item.
                return [{"action": f"dynamodb:{operation}", "resource": f"{resource}/index/{index}", "keys": ["…"]}]
            return [{"action": f"dynamodb:{operation}", "resource": resource, "keys": [partition(request)]}]
        case "sqs":
            name = request.get("QueueUrl", "").rpartition("/")[2]
            return [{"action": f"sqs:{SINGLE.get(operation, operation)}", "resource": QUEUE.format(name=name, **place)}]
        case "secretsmanager":
            return [{"action": f"secretsmanager:{operation}", "resource": request.get("SecretId", "")}]
        case service:
            return [{"action": f"{service}:{operation}", "resource": "*"}]


def together(parts: Any) -> list[dict]:
    """The parts of a transaction: all keys of an action at once, which is what IAM could be asked at most."""
    keys: dict[tuple[str, str], set[str]] = {}
    for action, resource, key in parts:
        keys.setdefault((action, resource), set()).add(key)
    return [
        {
            "action": f"dynamodb:{action}",
            "resource": resource,
            "keys": sorted(of_action),
            "enclosing": "TransactWriteItems",
        }
        for (action, resource), of_action in keys.items()
    ]


def partition(part: dict) -> str:
    """The kind of the partition that is read or written, `MEMBER#…`: whose it is, is nobody's business here."""
    key = (part.get("Key") or part.get("Item") or {}).get("pk") or {}
    values = part.get("ExpressionAttributeValues") or {}
    kind, mark, _ = (key.get("S") or values.get(":pk", {}).get("S", "?")).partition("#")
    return f"{kind}#…" if mark else kind
