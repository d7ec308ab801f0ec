"""Corrects MiniStack's IAM checks, and adds `dynamodb:LeadingKeys`: the partition keys of the items of a request.

The key is set as AWS documents it for each single action. MiniStack authorizes each item of a transaction by itself.
"""

import json
import re
from collections.abc import Callable
from typing import Any

from ministack.core import iam_actions, iam_evaluator

CONDITION_KEY = "dynamodb:LeadingKeys"
ENCLOSING = "dynamodb:EnclosingOperation"
# The partition keys of the table and of its index.
PARTITION_KEYS = {"pk", "member"}
EQUALS = re.compile(r"([#\w]+)\s*=\s*(:\w+)")
PARTS = ("ConditionCheck", "Put", "Update", "Delete", "Get")


class ItemArn(str):
    """The ARN of the table of an item of a transaction, with the item's partition key."""

    keys: list[str]

    @classmethod
    def of(cls, arn: str, keys: list[str]) -> "ItemArn":
        item = cls(arn)
        item.keys = keys
        return item


def leading_keys(request: dict) -> list[str]:
    """The partition keys that a request names; none for a scan."""
    items = [request.get("Key"), request.get("Item")]
    for table in (request.get("RequestItems") or {}).values():
        items += table.get("Keys", [])
    keys = [next(iter(item["pk"].values())) for item in items if item and "pk" in item]
    names = request.get("ExpressionAttributeNames") or {}
    values = request.get("ExpressionAttributeValues") or {}
    for name, value in EQUALS.findall(request.get("KeyConditionExpression") or ""):
        if names.get(name, name) in PARTITION_KEYS:
            keys += values.get(value, {}).values()
    return sorted(set(keys))


def parse(body: bytes) -> dict:
    """A request, which the service rejects later if it is not JSON."""
    try:
        request = json.loads(body or b"{}")
    except ValueError:
        return {}
    return request if isinstance(request, dict) else {}


def with_keys(original: Callable[[bytes], dict]) -> Callable[[bytes], dict]:
    """Adds the keys to the context of a request; an absent key is not an empty one."""

    def context(body: bytes) -> dict:
        keys = leading_keys(parse(body))
        return original(body) | ({CONDITION_KEY: keys} if keys else {})

    return context


def with_item_keys(original: Callable[..., list]) -> Callable[..., list]:
    """Adds the key of each item to the checks of a transaction."""

    def checks(action: str, body: bytes, *account: str) -> list:
        found = original(action, body, *account)
        items = parse(body)["TransactItems"] if found else []
        parts = [item[kind] for item in items for kind in PARTS if kind in item]
        return [
            (item_action, ItemArn.of(arn, leading_keys(part)))
            for (item_action, arn), part in zip(found, parts, strict=True)
        ]

    return checks


def corrected(original: Callable[..., Any]) -> Callable[..., Any]:
    """Evaluates the policies as IAM does."""

    def enforce(
        key: str,
        action: str,
        service: str,
        region: str,
        resource_arn: str = "*",
        service_context: dict | None = None,
    ) -> Any:
        if service == "sqs":
            # IAM authorizes a batch as its single operation.
            action = action.removesuffix("Batch")
        if isinstance(resource_arn, ItemArn):
            context = service_context or {}
            # It has one value in IAM. MiniStack sets a list, for which `StringNotEquals` always holds.
            enclosing = "".join(context.get(ENCLOSING, ""))
            service_context = context | {CONDITION_KEY: resource_arn.keys, ENCLOSING: enclosing}
        denied = original(key, action, service, region, resource_arn, service_context)
        if denied and service == "secretsmanager":
            # The policies name a secret by its `Ref`, which is its name here, and the ARN has a suffix of six characters.
            name = resource_arn.rpartition(":secret:")[2][:-7]
            denied = original(key, action, service, region, name, service_context)
        return denied

    return enforce


def install() -> None:
    """Replaces MiniStack's functions, which its server imports again for each request."""
    iam_actions.dynamodb_service_context = with_keys(iam_actions.dynamodb_service_context)
    iam_actions.dynamodb_transaction_checks = with_item_keys(iam_actions.dynamodb_transaction_checks)
    iam_evaluator.enforce = corrected(iam_evaluator.enforce)
