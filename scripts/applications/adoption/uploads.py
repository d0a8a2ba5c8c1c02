"""Uploads of the old chat, from a folder or an Azure Files share, to the environment's share."""

import hashlib
import json
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from scripts.cluster.bundle import bundled
from scripts.cluster.pod_program import FedProgram
from scripts.core.azure import az_list, az_text
from scripts.core.errors import ExitCode, OperatorError

PROGRAM = "scripts.applications.adoption.in_pod.uploads"
CHUNK = 2**20
AZURE = "azure:"


class Folder(Protocol):
    """Where uploads lie, flat, as Open WebUI writes them."""

    def sizes(self) -> Mapping[str, int]:
        """Return the bytes of every file, by name. Raises OperatorError."""

    def fetch(self, name: str) -> Path:
        """Return the path of one file on this machine, until the next one is fetched. Raises OperatorError."""


@dataclass(frozen=True)
class LocalFolder:
    """A folder of this machine, such as a copy of the volume."""

    path: Path

    def sizes(self) -> Mapping[str, int]:
        """Return the bytes of every file, by name."""
        try:
            return {entry.name: entry.stat().st_size for entry in self.path.iterdir() if entry.is_file()}
        except OSError as error:
            raise OperatorError(f"{self.path} cannot be read: {error.strerror}", code=ExitCode.USAGE) from None

    def fetch(self, name: str) -> Path:
        """Return the path of one file."""
        return self.path / name


@dataclass(frozen=True)
class AzureShare:
    """A folder of an Azure Files share, read with the Azure CLI's own login."""

    account: str
    share: str
    folder: str
    scratch: Path

    @classmethod
    def of(cls, words: str, scratch: Path) -> "AzureShare":
        """Return the share of `ACCOUNT/SHARE[/FOLDER]`. Raises OperatorError."""
        account, _, rest = words.partition("/")
        share, _, folder = rest.partition("/")
        if not account or not share:
            raise OperatorError(f"{words!r} names no share", "write azure:ACCOUNT/SHARE/FOLDER", ExitCode.USAGE)
        return cls(account, share, folder.strip("/"), scratch)

    @property
    def _login(self) -> tuple[str, ...]:
        # Rights on files come from the role Storage File Data Privileged Reader, whoever owns the files.
        return ("--account-name", self.account, "--auth-mode", "login", "--enable-file-backup-request-intent")

    def sizes(self) -> Mapping[str, int]:
        """Return the bytes of every file, by name."""
        folder = ("--path", self.folder) if self.folder else ()
        found = az_list(
            "storage", "file", "list", "--share-name", self.share, *folder, "--num-results", "*", *self._login
        )
        return {str(one["name"]): int(one["properties"]["contentLength"]) for one in found if one.get("type") == "file"}

    def fetch(self, name: str) -> Path:
        """Return the path of one file's copy."""
        target = self.scratch / "upload"
        target.unlink(missing_ok=True)
        path = f"{self.folder}/{name}" if self.folder else name
        az_text(
            "storage", "file", "download", "--share-name", self.share, "--path", path, "--dest", str(target),
            "--no-progress", "--output", "none", *self._login,
        )  # fmt: skip
        return target


def folder_of(words: str, scratch: Path | None = None) -> Folder:
    """Return what `--uploads` names: a folder, or `azure:ACCOUNT/SHARE[/FOLDER]`. Raises OperatorError."""
    if words.startswith(AZURE):
        return AzureShare.of(words.removeprefix(AZURE), scratch or Path(tempfile.mkdtemp(prefix="llmctl-adopt-")))
    return LocalFolder(Path(words))


@dataclass(frozen=True)
class Uploads:
    """Files of one folder that go to one share."""

    folder: Folder
    run: FedProgram

    def look(self) -> dict[str, Any]:
        """Return counts, and the lacking names. Raises OperatorError: no space, or a name with another content."""
        have = dict(self.folder.sizes())
        there: dict[str, int] = {}
        free = 0
        for line in self.run(bundled(PROGRAM), {"action": "list"}):
            _refuse(line)
            if "there" in line:
                there[line["there"]] = line["size"]
            free = line.get("report", {}).get("free", free)
        other = sorted(name for name in have if name in there and there[name] != have[name])
        if other:
            raise OperatorError(
                f"{len(other)} uploads are on the environment's share with another size, such as {other[0]}",
                "nothing is written over: find out which is right, and move the other one away",
                ExitCode.REFUSED,
            )
        lacking = sorted(name for name in have if name not in there)
        size = sum(have[name] for name in lacking)
        if size > free:
            raise OperatorError(
                f"{size / 2**30:.1f} GiB of uploads do not fit the environment's share: {free / 2**30:.1f} GiB free",
                "raise disks.chat_uploads_gib and deploy",
                ExitCode.REFUSED,
            )
        return {"source": len(have), "there": len(have) - len(lacking), "to_take": len(lacking), "bytes": size,
                "lacking": lacking}  # fmt: skip

    def take(self, lacking: list[str], tell: Callable[[str], object]) -> int:
        """Send the files; return how many are new. Raises OperatorError; what has arrived stays, and is whole."""
        report: dict[str, Any] | None = None
        for line in self.run(bundled(PROGRAM), {"action": "take"}, self._parts(lacking)):
            _refuse(line)
            if "taken" in line:
                tell(line["taken"])
            report = line.get("report", report)
        if report is None:
            raise OperatorError("the uploads did not all arrive", "run the command again: it goes on where it ended")
        return int(report["added"])

    def _parts(self, names: list[str]) -> Iterator[bytes]:
        for name in names:
            path = self.folder.fetch(name)
            with path.open("rb") as file:
                seen = hashlib.file_digest(file, "sha256").hexdigest()
                size = file.tell()
                yield json.dumps({"file": name, "size": size, "sha256": seen}).encode() + b"\n"
                file.seek(0)
                while size and (part := file.read(min(CHUNK, size))):
                    size -= len(part)
                    yield part
        yield b'{"end": true}\n'


def _refuse(line: Mapping[str, Any]) -> None:
    if "refused" in line:
        raise OperatorError(
            f"an upload was not taken: {line['refused']}", "run the command again: it goes on where it ended"
        )
