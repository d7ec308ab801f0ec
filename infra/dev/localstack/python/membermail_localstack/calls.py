"""Records the AWS calls of the functions. LocalStack does not enforce IAM; `cargo dev test` checks the record afterwards."""

import json
import os
import threading
from pathlib import Path
from typing import Any

from localstack.runtime import hooks

# Role names by access key: each function process has its own key.
ROLES: dict[str, str] = {}

TABLE = "arn:aws:dynamodb:{region}:{account}:table/{name}"
QUEUE = "arn:aws:sqs:{region}:{account}:{name}"

# IAM actions of the parts of a transaction.
PARTS = {"Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem", "ConditionCheck": "ConditionCheckItem"}
# IAM authorizes a batch as its single operation.
SINGLE = {"SendMessageBatch": "SendMessage", "DeleteMessageBatch": "DeleteMessage"}


@hooks.on_infra_start()
def record_calls() -> None:
    """Writes each distinct call as a JSON line to the file `MEMBERMAIL_CALLS`."""
    if file := os.environ.get("MEMBERMAIL_CALLS"):
        from localstack.aws import handlers

        handlers.serve_custom_service_request_handlers.append(CallRecorder(Path(file)))


class CallRecorder:
    """A handler for parsed requests, before the response."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.seen: set[str] = set()
        self.lock = threading.Lock()

    def __call__(self, _chain: Any, context: Any, _response: Any) -> None:
        role = ROLES.get(access_key(context.request.headers.get("Authorization", "")))
        if not role or not context.operation:
            return
        for call in authorizations(context):
            line = json.dumps({"role": role, **call}, sort_keys=True)
            with self.lock:
                if line not in self.seen:
                    self.seen.add(line)
                    with self.file.open("a") as record:
                        record.write(line + "\n")


def access_key(authorization: str) -> str:
    """`AWS4-HMAC-SHA256 Credential=KEY/20261124/…`"""
    return authorization.partition("Credential=")[2].partition("/")[0]


def authorizations(context: Any) -> list[dict]:
    """The IAM authorizations of a request: action, resource, and kinds of partitions for DynamoDB."""
    operation, request = context.operation.name, context.service_request or {}
    account = {"region": context.region, "account": context.account_id}
    match context.service.service_name:
        case "dynamodb" if operation == "TransactWriteItems":
            return merge_keys(
                (PARTS[kind], TABLE.format(name=part["TableName"], **account), partition(part))
                for item in request["TransactItems"]
                for kind, part in item.items()
            )
        case "dynamodb" if operation == "BatchGetItem":
            return [
                {
                    "action": "dynamodb:BatchGetItem",
                    "resource": TABLE.format(name=name, **account),
                    "keys": sorted({partition({"Key": key}) for key in wanted["Keys"]}),
                }
                for name, wanted in request["RequestItems"].items()
            ]
        case "dynamodb":
            resource = TABLE.format(name=request.get("TableName", ""), **account)
            if index := request.get("IndexName"):
                # The index key is a member's id, which has no kind.
                return [{"action": f"dynamodb:{operation}", "resource": f"{resource}/index/{index}", "keys": ["…"]}]
            return [{"action": f"dynamodb:{operation}", "resource": resource, "keys": [partition(request)]}]
        case "sqs":
            name = request.get("QueueUrl", "").rpartition("/")[2]
            return [{"action": f"sqs:{SINGLE.get(operation, operation)}", "resource": QUEUE.format(name=name, **account)}]
        case "secretsmanager":
            return [{"action": f"secretsmanager:{operation}", "resource": request.get("SecretId", "")}]
        case service:
            return [{"action": f"{service}:{operation}", "resource": "*"}]


def merge_keys(parts: Any) -> list[dict]:
    """Merges the parts of a transaction: one authorization per action with all of its keys, the strictest case."""
    keys: dict[tuple[str, str], set[str]] = {}
    for action, resource, key in parts:
        keys.setdefault((action, resource), set()).add(key)
    return [
        {
            "action": f"dynamodb:{action}",
            "resource": resource,
            "keys": sorted(action_keys),
            "enclosing": "TransactWriteItems",
        }
        for (action, resource), action_keys in keys.items()
    ]


def partition(part: dict) -> str:
    """The kind of the partition, such as `MEMBER#…`. The rest of the key is not recorded: it identifies a person."""
    key = (part.get("Key") or part.get("Item") or {}).get("pk") or {}
    values = part.get("ExpressionAttributeValues") or {}
    kind, mark, _ = (key.get("S") or values.get(":pk", {}).get("S", "?")).partition("#")
    return f"{kind}#…" if mark else kind
