"""Starts MiniStack with complete IAM checks, and also writes the output of each function to a separate log file."""

import os
import re
from pathlib import Path
from typing import Any

import iam_checks
from ministack import app
from ministack.core.lambda_runtime import ProvidedWorker

LOGS = Path(os.environ["MEMBERMAIL_LOGS"])
# CloudFormation's function names: stack, logical id, random suffix.
NAME = re.compile(r"^[^-]+-(.+)-[^-]+$")
pump = ProvidedWorker._pump_output


class Tee:
    """A stream that appends each line to a file as it is read."""

    def __init__(self, stream: Any, file: Path) -> None:
        self.stream, self.file = stream, file

    def readline(self) -> bytes:
        line = self.stream.readline()
        with self.file.open("ab") as file:
            file.write(line)
        return line

    def close(self) -> None:
        self.stream.close()


def pump_and_log(worker: ProvidedWorker, stream: Any, log_queue: Any) -> None:
    found = NAME.match(worker.func_name)
    pump(worker, Tee(stream, LOGS / f"{found[1] if found else worker.func_name}.log"), log_queue)


iam_checks.install()
ProvidedWorker._pump_output = pump_and_log
app.main()
