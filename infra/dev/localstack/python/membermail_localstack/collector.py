"""Shorter pauses of Python's garbage collector."""

import gc
import time

from localstack.runtime import hooks

LONG_SECONDS = 0.2


@hooks.on_infra_start()
def keep_collections_short() -> None:
    """Excludes what a long collection has left from later ones.

    LocalStack keeps a million objects. A full collection of them takes a second, several on a busy machine, and no request
    is handled meanwhile: calls of the functions time out.
    """
    gc.callbacks.append(Freezer())


class Freezer:
    """A callback of the collector, which runs in one thread at a time."""

    def __init__(self, long_seconds: float = LONG_SECONDS) -> None:
        self.long_seconds = long_seconds
        self.start = 0.0

    def __call__(self, phase: str, _info: dict[str, int]) -> None:
        if phase == "start":
            self.start = time.monotonic()
        elif time.monotonic() - self.start > self.long_seconds:
            gc.freeze()
