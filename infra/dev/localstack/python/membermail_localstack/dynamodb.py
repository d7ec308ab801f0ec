"""Starts DynamoDB Local on loopback only, and without the Java agent that LocalStack would download."""

from pathlib import Path

from localstack.runtime import hooks


@hooks.on_infra_start()
def keep_dynamodb_on_loopback() -> None:
    """Replaces LocalStack's command for DynamoDB Local, before any service starts."""
    from localstack.services.dynamodb.server import DynamodbServer

    def command(server: DynamodbServer) -> list[str]:
        return [
            "java",
            f"-Xmx{server.heap_size}",
            f"-Djava.library.path={server.library_path}",
            "-cp",
            f"{server.jar_path}:{server.library_path}/*",
            "org.eclipse.jetty.xml.XmlConfiguration",
            str(Path(__file__).with_name("dynamodb.xml")),
            f"port={server.port}",
        ]

    DynamodbServer._create_shell_command = command
