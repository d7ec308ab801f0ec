"""CloudFormation updates of Lambda versions and aliases, which LocalStack can only create and delete."""

from typing import Any

from localstack.runtime import hooks
from localstack.services.cloudformation.resource_provider import OperationStatus, ProgressEvent, ResourceRequest


@hooks.on_infra_start()
def update_versions_and_aliases() -> None:
    """As on AWS, a changed description publishes a new version, and an alias moves to it."""
    from localstack.services.lambda_.resource_providers.aws_lambda_version import LambdaVersionProvider
    from localstack.services.lambda_.resource_providers.lambda_alias import LambdaAliasProvider

    # AWS replaces the version. LocalStack does not notice a change within `Fn::Sub` in time for a replacement.
    LambdaVersionProvider.update = LambdaVersionProvider.create
    LambdaAliasProvider.update = update_alias
    # LocalStack would replace them with every change of the function that they name, and an alias of that name exists.
    for provider in (LambdaVersionProvider, LambdaAliasProvider):
        provider.SCHEMA = {**provider.SCHEMA, "createOnlyProperties": []}


def update_alias(_provider: Any, request: ResourceRequest) -> ProgressEvent:
    """Moves an alias to another version."""
    model = {**request.previous_state, **request.desired_state}
    alias = request.aws_client_factory.lambda_.update_alias(
        FunctionName=model["FunctionName"], Name=model["Name"], FunctionVersion=model["FunctionVersion"]
    )
    model["Id"] = alias["AliasArn"]
    return ProgressEvent(status=OperationStatus.SUCCESS, resource_model=model)
