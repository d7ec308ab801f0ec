"""What CloudFormation does otherwise here: it looks more often, and changes a stack that looks a mapping up by parameter."""

from typing import Any

from localstack.runtime import hooks

PAUSE = 0.2


@hooks.on_infra_start()
def look_often_while_deploying() -> None:
    """After a fifth of a second whether a function is there, not after five: a start is 20 seconds shorter."""
    from localstack.services.cloudformation.resource_provider import ResourceProviderExecutor

    deploy_loop = ResourceProviderExecutor.deploy_loop

    def often(self: ResourceProviderExecutor, *args: Any, **options: Any) -> Any:
        options.setdefault("sleep_time", PAUSE)
        return deploy_loop(self, *args, **options)

    ResourceProviderExecutor.deploy_loop = often


@hooks.on_infra_start()
def compare_mappings_by_parameter() -> None:
    """A change set fails else where `Fn::FindInMap` has a `Ref` for a key: only literals are compared."""
    from localstack.services.cloudformation.engine.v2.change_set_model import ChangeSetModel

    compare = ChangeSetModel._resolve_intrinsic_function_fn_find_in_map

    def by_parameter(self: ChangeSetModel, arguments: Any) -> Any:
        try:
            return compare(self, arguments)
        except NotImplementedError:
            # That of the keys; what the mapping itself holds is the template's and changes with a release alone.
            return arguments.change_type

    ChangeSetModel._resolve_intrinsic_function_fn_find_in_map = by_parameter
