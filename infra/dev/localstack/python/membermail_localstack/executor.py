"""Runs Lambda functions as host processes instead of containers."""

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
# Variables for LocalStack's own init process, which functions on AWS do not have.
FOREIGN = ("LOCALSTACK_", "_AWS_XRAY", "EDGE_PORT")


class HostExecutor(RuntimeExecutor):
    """One function process with its Runtime API."""

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
        """Starts the process with a new Runtime API, so that no invocation of an earlier process is left."""
        if self.api:
            self.api.close()
        self.api = RuntimeApi()
        code = self.function_version.config.code.get_unzipped_code_location()
        bootstrap = code / "bootstrap"
        bootstrap.chmod(0o755)
        # A clean environment as on AWS, without the developer's variables.
        environment = {
            name: str(value) for name, value in self.variables.items() if not name.startswith(FOREIGN)
        }
        environment |= {
            "AWS_LAMBDA_RUNTIME_API": self.api.address,
            "LAMBDA_TASK_ROOT": str(code),
            "PATH": "/usr/local/bin:/usr/bin:/bin",
        }
        # A counting proxy between functions and LocalStack.
        if endpoint := os.environ.get("MEMBERMAIL_FUNCTIONS_AWS"):
            environment["AWS_ENDPOINT_URL"] = endpoint
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
                raise RuntimeError(f"bootstrap exited with {self.process.returncode}: see {self.log}")

    def stop(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        if self.api:
            self.api.close()

    def invoke(self, payload: dict[str, str]) -> InvocationResult:
        timeout = self.function_version.config.timeout
        request = payload["invoke-id"]
        # As on AWS, a new process replaces one that crashed or timed out.
        if self.process.poll() is not None:
            self.launch()
        before = self.log.stat().st_size
        promise = self.api.invoke({**payload, "deadline-ms": int((time.time() + timeout) * 1000)})
        limit = time.monotonic() + timeout
        while time.monotonic() < limit:
            try:
                is_error, body = promise.result(timeout=0.2)
                return InvocationResult(request, body, is_error, logs=self.log_since(before))
            except TimeoutError:
                if self.process.poll() is not None:
                    return self.failure(request, f"the process exited with {self.process.returncode}")
        # As on AWS, a process that timed out is not used again.
        self.process.kill()
        return self.failure(request, f"Task timed out after {timeout}.00 seconds")

    def log_since(self, before: int) -> str:
        """The new log output, for CloudWatch. Never empty: LocalStack would then use the whole log."""
        with self.log.open("rb") as log:
            log.seek(before)
            return log.read().decode(errors="replace") or "END"

    def failure(self, request: str, message: str) -> InvocationResult:
        body = f'{{"errorType":"Runtime.ExitError","errorMessage":"{message}"}}'
        return InvocationResult(request, body.encode(), is_error=True, logs=message)

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
        """Nothing to do: the code is part of the state folder."""


class HostExecutorPlugin(RuntimeExecutorPlugin):
    """Registers the executor for `LAMBDA_RUNTIME_EXECUTOR=host`."""

    name = "host"

    def load(self, *_args: object, **_kwargs: object) -> type[HostExecutor]:
        return HostExecutor


def logs_folder() -> Path:
    folder = Path(os.environ["MEMBERMAIL_LOGS"])
    folder.mkdir(parents=True, exist_ok=True)
    return folder
