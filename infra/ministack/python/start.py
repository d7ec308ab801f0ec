"""MiniStack, with the output of each function in a file of its own as well."""

import os
import re
from pathlib import Path
from typing import Any

from ministack import app
from ministack.core.lambda_runtime import ProvidedWorker

LOGS = Path(os.environ["MEMBERMAIL_LOGS"])
# CloudFormation's names: stack, logical id and something random.
NAME = re.compile(r"^[^-]+-(.+)-[^-]+$")
pump = ProvidedWorker._pump_output


class Copied:
    """A stream whose lines are written to a file as they are read."""

    def __init__(self, stream: Any, file: Path) -> None:
        self.stream, self.file = stream, file

    def readline(self) -> bytes:
        line = self.stream.readline()
        with self.file.open("ab") as file:
            file.write(line)
        return line

    def close(self) -> None:
        self.stream.close()


def pump_and_keep(worker: ProvidedWorker, stream: Any, log_queue: Any) -> None:
    found = NAME.match(worker.func_name)
    pump(worker, Copied(stream, LOGS / f"{found[1] if found else worker.func_name}.log"), log_queue)


ProvidedWorker._pump_output = pump_and_keep
app.main()
