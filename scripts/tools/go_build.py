"""The second way to a program: built by Go from its module, which Go's checksum database verifies."""

import json
import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from .catalogue import GoProgram
from .release import Told, UnavailableError

_EVERY_S = 1.0
Run = Callable[[Sequence[str], Path], str]
"""Runs Go in a folder and returns what it prints. Raises UnavailableError."""


def go(arguments: Sequence[str], folder: Path) -> str:
    """Run Go in a folder; it fetches a newer Go by itself where a module needs one. Raises UnavailableError."""
    variables = os.environ | {"CGO_ENABLED": "0", "GOWORK": "off"}
    try:
        done = subprocess.run(  # noqa: S603
            ["go", *arguments], cwd=folder, env=variables, capture_output=True, text=True, check=False  # noqa: S607
        )  # fmt: skip
    except FileNotFoundError:
        raise UnavailableError("Go is not installed") from None
    if done.returncode:
        raise UnavailableError(f"go {arguments[0]}: {_reason(done)}")
    return done.stdout


def _reason(done: "subprocess.CompletedProcess[str]") -> str:
    """Return the last line that Go says; with `-json` it is part of the answer."""
    said = done.stderr.strip() or (str(json.loads(done.stdout).get("Error", "")) if done.stdout else "")
    return (said.splitlines() or ["no message"])[-1].strip()


def build(program: GoProgram, target: Path, told: Told, *, run: Run = go) -> None:
    """Put the program at `target`, which appears whole or not at all. Raises UnavailableError, OSError."""
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".go-") as name, _clock(told):
        folder = Path(name)
        run(["mod", "init", "llm-platform/tool"], folder)
        found = json.loads(run(["mod", "download", "-json", f"{program.module}@{program.version}"], folder))
        own = json.loads(run(["mod", "edit", "-json", found["GoMod"]], folder))
        replaced = [f"-replace={old}={new}" for old, new in replacements(own, program.nested)]
        run(["mod", "edit", f"-require={program.module}@{program.version}", *replaced], folder)
        stamps = " ".join(f"-X {stamp}" for stamp in program.stamps)
        flags = ["-mod=mod", "-trimpath", "-ldflags", f"-s -w {stamps}".strip()]
        run(["build", *flags, "-o", "program", program.package], folder)
        (folder / "program").replace(target)


def replacements(own: Mapping[str, object], nested: str) -> Iterator[tuple[str, str]]:
    """Yield what stands in the place of which module, as a module's own go.mod says for its own builds alone.

    What it takes from its source tree comes from Go's proxy, in the version `nested`.
    """
    for each in own.get("Replace") or ():  # type: ignore[attr-defined]
        old, new = each["Old"]["Path"], each["New"]
        if new.get("Version"):
            yield old, f"{new['Path']}@{new['Version']}"
        elif nested:
            yield old, f"{old}@{nested}"
        else:
            raise UnavailableError(f"{old} is part of its source tree, and no version of it is known")


@contextmanager
def _clock(told: Told) -> Iterator[None]:
    """Within, tell how long Go works already."""
    began, done = time.monotonic(), threading.Event()

    def tell() -> None:
        while not done.wait(_EVERY_S):
            told(f"built by Go, {time.monotonic() - began:.0f} s")

    teller = threading.Thread(target=tell, daemon=True)
    teller.start()
    try:
        yield
    finally:
        done.set()
        teller.join()
