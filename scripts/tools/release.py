"""A project's own release: downloaded, compared with its pinned checksum, unpacked. Standard library only."""

import hashlib
import http.client
import os
import socket
import ssl
import tarfile
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import IO

from .catalogue import Tool

_TIMEOUT_S = 30.0
_CHUNK = 1 << 18
_TRIES = 3
Told = Callable[[str], None]
Wait = Callable[[float], None]


class UnavailableError(Exception):
    """The release cannot be had; the text says why."""


class OtherContentError(UnavailableError):
    """What came is not what the project published."""


def fetch(tool: Tool, target: Path, told: Told, *, wait: Wait = time.sleep) -> None:
    """Put the program at `target`, which appears whole or not at all. Raises UnavailableError, OSError."""
    if not tool.sha256:
        raise UnavailableError("no checksum is known of a release for this machine")
    archive, program = (target.with_name(f".{target.name}.{kind}.{os.getpid()}") for kind in ("archive", "program"))
    try:
        _download(tool, archive, told, wait)
        _unpack(tool, archive, program)
        program.chmod(0o755)
        program.replace(target)
    finally:
        archive.unlink(missing_ok=True)
        program.unlink(missing_ok=True)


def _download(tool: Tool, archive: Path, told: Told, wait: Wait) -> None:
    for attempt in range(1, _TRIES + 1):
        try:
            found = _once(tool, archive, told)
        except (OSError, http.client.HTTPException) as error:
            if attempt == _TRIES or not _passing(error):
                raise UnavailableError(f"{tool.url}: {_reason(error)}") from None
            wait(2.0**attempt)
        else:
            break
    if found != tool.sha256:
        raise OtherContentError(f"{tool.url}: its sha256 is {found}, the published one is {tool.sha256}")


def _once(tool: Tool, archive: Path, told: Told) -> str:
    digest, have = hashlib.sha256(), 0
    # Through the machine's own proxy, as pip and Go.
    with urllib.request.urlopen(tool.url, timeout=_TIMEOUT_S) as answer, archive.open("wb") as file:  # noqa: S310 - of tools.toml
        length = int(answer.headers.get("Content-Length") or 0)
        while chunk := answer.read(_CHUNK):
            file.write(chunk)
            digest.update(chunk)
            have += len(chunk)
            told(f"{have / 1e6:.0f} of {length / 1e6:.0f} MB" if length else f"{have / 1e6:.0f} MB")
    if have < length:
        raise ConnectionError(f"cut off after {have:,} of {length:,} bytes")
    return digest.hexdigest()


def _passing(error: Exception) -> bool:
    """Tell whether another try may help: not where a server has said no, nobody trusts it, or there is no such name."""
    if isinstance(error, urllib.error.HTTPError):
        return error.code == http.client.TOO_MANY_REQUESTS or error.code >= http.client.INTERNAL_SERVER_ERROR
    return not isinstance(getattr(error, "reason", None), ssl.SSLCertVerificationError | socket.gaierror)


def _reason(error: Exception) -> str:
    if isinstance(error, urllib.error.HTTPError):
        return f"status {error.code}"
    return str(getattr(error, "reason", None) or error) or type(error).__name__


def _unpack(tool: Tool, archive: Path, program: Path) -> None:
    if not tool.member:
        archive.rename(program)
        return
    try:
        if tool.url.endswith(".zip"):
            with zipfile.ZipFile(archive) as files, files.open(tool.member) as inside:
                _copy(inside, program)
        else:
            with tarfile.open(archive) as packed:
                content = packed.extractfile(tool.member)
                if content is None:
                    raise KeyError(tool.member)
                _copy(content, program)
    except (KeyError, zipfile.BadZipFile, tarfile.TarError) as error:
        raise OtherContentError(f"{tool.url}: no {tool.member} can be read in it ({error})") from None


def _copy(inside: IO[bytes], program: Path) -> None:
    with program.open("wb") as file:
        while chunk := inside.read(_CHUNK):
            file.write(chunk)
