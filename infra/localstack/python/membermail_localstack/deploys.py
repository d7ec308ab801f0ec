"""Lets CloudFormation look after a fifth of a second whether a function is there, not after five seconds."""

from typing import Any

from localstack.runtime import hooks

PAUSE = 0.2


@hooks.on_infra_start()
def look_often_while_deploying() -> None:
    """Four functions are 20 seconds of a start otherwise."""
    from localstack.services.cloudformation.resource_provider import ResourceProviderExecutor

    deploy_loop = ResourceProviderExecutor.deploy_loop

    def often(self: ResourceProviderExecutor, *args: Any, **options: Any) -> Any:
        options.setdefault("sleep_time", PAUSE)
        return deploy_loop(self, *args, **options)

    ResourceProviderExecutor.deploy_loop = often
