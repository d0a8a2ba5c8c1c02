"""One command at a time may work on an environment from this checkout.

The lock is the standard library's; filelock would leave the rest to do here, which says who holds it.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .errors import ExitCode, OperatorError


@contextmanager
def environment_lock(folder: Path, name: str, action: str) -> Iterator[None]:
    """Hold the environment while `action` runs.

    Terraform locks each state by itself; this keeps two runs from writing the same output folder. The lock goes with
    the process, however that ends. Raises OperatorError when another process holds it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{name}.lock").open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip() or "another process"
            raise OperatorError(
                f"{name} is in use by {holder}", "wait until it has ended", ExitCode.NOT_READY
            ) from None
        file.seek(0)
        file.truncate()
        file.write(f"`llmctl {action}` (process {os.getpid()})")
        file.flush()
        yield
