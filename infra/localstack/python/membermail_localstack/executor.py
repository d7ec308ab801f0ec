"""Runs Lambda functions as processes of this machine, where LocalStack would start containers."""

import os
import subprocess
import time
from pathlib import Path

from localstack import config
from localstack.services.lambda_.invocation.lambda_models import FunctionVersion, InvocationResult
from localstack.services.lambda_.invocation.plugins import RuntimeExecutorPlugin
from localstack.services.lambda_.invocation.runtime_executor import RuntimeExecutor

from .calls import ROLES
from .runtime_api import RuntimeApi

LOOPBACK = "127.0.0.1"
# LocalStack tells its own init of itself by these; a function on AWS never sees them.
FOREIGN = ("LOCALSTACK_", "_AWS_XRAY", "EDGE_PORT")


class HostExecutor(RuntimeExecutor):
    """One process, and the Runtime API for it."""

    def __init__(self, id: str, function_version: FunctionVersion) -> None:
        super().__init__(id, function_version)
        self.api: RuntimeApi | None = None
        self.process: subprocess.Popen | None = None
        self.variables: dict[str, str] = {}
        self.role = function_version.config.role.rpartition("/")[2]
        self.log = logs_folder() / f"{function_version.id.function_name}.log"

    def start(self, env_vars: dict[str, str]) -> None:
        self.variables = env_vars
        ROLES[str(env_vars.get("AWS_ACCESS_KEY_ID"))] = self.role
        self.launch()

    def launch(self) -> None:
        """Starts the process, with a Runtime API of its own: nothing of a former one waits there."""
        if self.api:
            self.api.close()
        self.api = RuntimeApi()
        code = self.function_version.config.code.get_unzipped_code_location()
        bootstrap = code / "bootstrap"
        bootstrap.chmod(0o755)
        # The environment is made anew, as on AWS: nothing of the developer's shell reaches a function.
        environment = {
            name: str(value) for name, value in self.variables.items() if not name.startswith(FOREIGN)
        }
        environment |= {
            "AWS_LAMBDA_RUNTIME_API": self.api.address,
            "LAMBDA_TASK_ROOT": str(code),
            "PATH": "/usr/local/bin:/usr/bin:/bin",
        }
        # Who counts the calls of functions stands between them and LocalStack.
        if seen := os.environ.get("MEMBERMAIL_FUNCTIONS_AWS"):
            environment["AWS_ENDPOINT_URL"] = seen
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [bootstrap],
                cwd=code,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        while not self.api.ready.wait(0.02):
            if self.process.poll() is not None:
                raise RuntimeError(f"bootstrap ended with {self.process.returncode}: see {self.log}")

    def stop(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        if self.api:
            self.api.close()

    def invoke(self, payload: dict[str, str]) -> InvocationResult:
        timeout = self.function_version.config.timeout
        request = payload["invoke-id"]
        # One that crashed or was late is gone, and the next invocation finds a new one, as on AWS.
        if self.process.poll() is not None:
            self.launch()
        before = self.log.stat().st_size
        promise = self.api.invoke({**payload, "deadline-ms": int((time.time() + timeout) * 1000)})
        limit = time.monotonic() + timeout
        while time.monotonic() < limit:
            try:
                is_error, body = promise.result(timeout=0.2)
                return InvocationResult(request, body, is_error, logs=self.said_since(before))
            except TimeoutError:
                if self.process.poll() is not None:
                    return self.failed(request, f"the process ended with {self.process.returncode}")
        # A process that is late is no use for the next invocation, as on AWS.
        self.process.kill()
        return self.failed(request, f"Task timed out after {timeout}.00 seconds")

    def said_since(self, before: int) -> str:
        """What CloudWatch gets. Never nothing: LocalStack would write the whole log to its own each time."""
        with self.log.open("rb") as log:
            log.seek(before)
            return log.read().decode(errors="replace") or "END"

    def failed(self, request: str, what: str) -> InvocationResult:
        body = f'{{"errorType":"Runtime.ExitError","errorMessage":"{what}"}}'
        return InvocationResult(request, body.encode(), is_error=True, logs=what)

    def get_address(self) -> str:
        return LOOPBACK

    def get_endpoint_from_executor(self) -> str:
        return LOOPBACK

    def get_runtime_endpoint(self) -> str:
        return f"http://{LOOPBACK}:{config.GATEWAY_LISTEN[0].port}/_localstack_lambda/{self.id}"

    def get_logs(self) -> str:
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    @classmethod
    def prepare_version(cls, function_version: FunctionVersion) -> None:
        function_version.config.code.prepare_for_execution()

    @classmethod
    def cleanup_version(cls, function_version: FunctionVersion) -> None:
        """The code folder lies in the state folder and goes with it."""


class HostExecutorPlugin(RuntimeExecutorPlugin):
    """How LocalStack finds the executor: `LAMBDA_RUNTIME_EXECUTOR=host`."""

    name = "host"

    def load(self, *_args: object, **_kwargs: object) -> type[HostExecutor]:
        return HostExecutor


def logs_folder() -> Path:
    folder = Path(os.environ["MEMBERMAIL_LOGS"])
    folder.mkdir(parents=True, exist_ok=True)
    return folder
