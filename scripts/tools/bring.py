"""Brings a program that the machine lacks: its release, else built by Go; once per version, one process at a time."""

import fcntl
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator, MutableMapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from scripts.core.errors import ExitCode, OperatorError
from scripts.core.workspace import user_cache

from .catalogue import Tool, tool
from .go_build import build
from .release import OtherContentError, Told, UnavailableError, fetch

SWITCH, NEVER = "LLMCTL_FETCH_TOOLS", "never"
"""Variable by which people forbid that programs are fetched."""
_LINE_EVERY_S = 20.0
Way = Callable[[Tool, Path, Told], None]
"""Puts a tool's program at a path. Raises UnavailableError."""


def _by_go(wanted: Tool, target: Path, told: Told) -> None:
    if wanted.go is None:
        raise UnavailableError("Go cannot build it")
    build(wanted.go, target, told)


@dataclass(frozen=True)
class Cache:
    """Where programs are kept and how they come there; tests hand over another one."""

    folder: Path
    release: Way = fetch
    by_go: Way = _by_go
    to: TextIO | None = None
    """Where progress goes; standard error where nothing is given."""
    allowed: bool = True
    """Whether anything may be fetched or built."""

    def has(self, wanted: Tool) -> bool:
        """Tell whether a tool is there already."""
        return os.access(self.path(wanted), os.X_OK)

    def path(self, wanted: Tool) -> Path:
        """Return where a tool's program is or will be."""
        return self.folder / wanted.folder / wanted.name

    def bring(self, wanted: Tool) -> Path:
        """Return the program, fetched or built first where it is missing. Raises OperatorError (NOT_READY)."""
        target = self.path(wanted)
        if self.has(wanted):
            return target
        if not self.allowed:
            raise OperatorError(
                f"{wanted.title} is not installed, and {SWITCH}={NEVER} forbids to fetch it",
                _by_hand(wanted),
                ExitCode.NOT_READY,
            )
        told = Progress(f"{wanted.title} {wanted.version}", self.to or sys.stderr)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with _alone(target.parent / ".lock", told):
                if not self.has(wanted):
                    told.line(f"is not installed: comes once into {target.parent}")
                    self._make(wanted, target, told)
                    told.line("is there")
        except OSError as error:
            raise OperatorError(
                f"{wanted.title} cannot be kept: {error}", f"free some disk, or {_by_hand(wanted)}", ExitCode.NOT_READY
            ) from None
        return target

    def _make(self, wanted: Tool, target: Path, told: "Progress") -> None:
        try:
            self.release(wanted, target, told.note)
        except UnavailableError as released:
            try:
                told.line(f"release: {released}")
                self.by_go(wanted, target, told.note)
            except UnavailableError as built:
                raise _missing(wanted, released, built) from None


def _missing(wanted: Tool, released: UnavailableError, built: UnavailableError) -> OperatorError:
    title = f"{wanted.title} {wanted.version}"
    if isinstance(released, OtherContentError):
        return OperatorError(
            f"{title} was not taken: {released}",
            f"look what answers in its place, a proxy perhaps; or {_by_hand(wanted)}",
            ExitCode.NOT_READY,
        )
    return OperatorError(
        f"{title} is not installed and cannot be fetched ({released}) or built ({built})",
        f"check the network and the proxy (HTTPS_PROXY), or {_by_hand(wanted)}",
        ExitCode.NOT_READY,
    )


def _by_hand(wanted: Tool) -> str:
    return f"install {wanted.title} yourself: {wanted.install}"


def provide(*names: str, cache: Cache | None = None, variables: MutableMapping[str, str] = os.environ) -> None:
    """Make programs available to this process and to all that it starts; those of the machine come first.

    Raises OperatorError (NOT_READY).
    """
    for name in names:
        if shutil.which(name, path=variables.get("PATH")) is None:
            folder = str(own_cache(cache).bring(tool(name)).parent)
            variables["PATH"] = os.pathsep.join(filter(None, [variables.get("PATH"), folder]))


def own_cache(given: Cache | None = None) -> Cache:
    """Return the cache of all checkouts of this person, unless one is given."""
    return given or Cache(user_cache() / "tools", allowed=os.environ.get(SWITCH) != NEVER)


class Progress:
    """Says on a stream what happens: on a terminal in one line that changes, elsewhere a line every 20 seconds."""

    def __init__(self, title: str, to: TextIO) -> None:
        self._title, self._to = title, to
        self._live = to.isatty()
        self._said = time.monotonic()

    def line(self, text: str) -> None:
        """Say something that stays."""
        self._write(f"{self._title} {text}", ended=True)

    def note(self, text: str) -> None:
        """Say how far it is."""
        if self._live:
            self._write(f"… {self._title}: {text}", ended=False)
        elif time.monotonic() - self._said >= _LINE_EVERY_S:
            self.line(f"… {text}")

    def _write(self, text: str, *, ended: bool) -> None:
        self._said = time.monotonic()
        clear = "\r\x1b[2K" if self._live else ""
        self._to.write(f"{clear}{text}" + ("\n" if ended else ""))
        self._to.flush()


@contextmanager
def _alone(path: Path, told: Progress) -> Iterator[None]:
    with path.open("a", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            told.line("is being fetched by another command, waiting for it")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def main(names: Sequence[str]) -> None:
    """Bring the named programs and print their folders, as PATH takes them; say which cannot be had."""
    folders = []
    for name in names:
        if shutil.which(name) is None:
            try:
                folders.append(str(own_cache().bring(tool(name)).parent))
            except OperatorError as error:
                sys.stderr.write(f"{error.message}\n")
    sys.stdout.write(os.pathsep.join(folders))
