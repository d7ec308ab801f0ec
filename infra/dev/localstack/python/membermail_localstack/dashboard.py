"""CloudFormation support for dashboards: LocalStack's CloudWatch has them, but its CloudFormation does not."""

from typing import Any

from localstack.services.cloudformation.resource_provider import (
    CloudFormationResourceProviderPlugin,
    OperationStatus,
    ProgressEvent,
    ResourceProvider,
    ResourceRequest,
)


class DashboardProvider(ResourceProvider):
    """`AWS::CloudWatch::Dashboard`, by its name and its body."""

    TYPE = "AWS::CloudWatch::Dashboard"
    SCHEMA = {
        "typeName": TYPE,
        "properties": {"DashboardName": {"type": "string"}, "DashboardBody": {"type": "string"}},
        "required": ["DashboardBody"],
        "createOnlyProperties": ["/properties/DashboardName"],
        "primaryIdentifier": ["/properties/DashboardName"],
    }

    def create(self, request: ResourceRequest) -> ProgressEvent:
        model = request.desired_state
        model.setdefault("DashboardName", f"{request.stack_name}-{request.logical_resource_id}")
        request.aws_client_factory.cloudwatch.put_dashboard(
            DashboardName=model["DashboardName"], DashboardBody=model["DashboardBody"]
        )
        return done(model)

    def update(self, request: ResourceRequest) -> ProgressEvent:
        # PutDashboard overwrites an existing dashboard.
        return self.create(request)

    def delete(self, request: ResourceRequest) -> ProgressEvent:
        name = request.desired_state["DashboardName"]
        request.aws_client_factory.cloudwatch.delete_dashboards(DashboardNames=[name])
        return done(request.desired_state)


class DashboardProviderPlugin(CloudFormationResourceProviderPlugin):
    """Registers the provider by resource type."""

    name = DashboardProvider.TYPE

    def load(self, *_args: Any, **_options: Any) -> None:
        self.factory = DashboardProvider


def done(model: dict) -> ProgressEvent:
    return ProgressEvent(status=OperationStatus.SUCCESS, resource_model=model)
