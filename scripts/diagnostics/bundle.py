"""A bundle for a bug report: one archive with a file for each question that is asked first, all of them redacted."""

import io
import tarfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from scripts.core.errors import ExitCode, OperatorError

from .redaction import Redaction

FILE_MODE = 0o600
PARALLEL = 8
ERRORS = "not-collected.txt"

Collect = Callable[[], str]
"""Gives the text of one file. Raises OperatorError where it cannot."""


@dataclass(frozen=True)
class Collected:
    """What was brought together, redacted."""

    files: Mapping[str, str]
    """Texts by name, in the order of the archive."""
    missing: Mapping[str, str]
    """Why the others could not be had."""


def collect(parts: Sequence[tuple[str, Collect]], redaction: Redaction, done: Callable[[str], None]) -> Collected:
    """Collect all parts side by side; one that fails leaves a sentence in its place.

    `done` gets each name as it is finished.
    """

    def one(part: tuple[str, Collect]) -> tuple[str, str, str]:
        name, get = part
        try:
            return name, redaction.text(get()), ""
        except OperatorError as error:
            fix = f"; {error.fix}" if error.fix else ""
            return name, "", redaction.text(f"{error.message}{fix}")
        finally:
            done(name)

    with ThreadPoolExecutor(PARALLEL) as pool:
        results = list(pool.map(one, parts))
    missing = {name: why for name, _, why in results if why}
    files = {name: text for name, text, why in results if not why}
    if missing:
        files[ERRORS] = "".join(f"{name}: {why}\n" for name, why in missing.items())
    return Collected(files, missing)


def write(path: Path, files: Mapping[str, str], now: datetime) -> int:
    """Write the archive, readable for its owner alone, and return its size in bytes.

    Raises OperatorError when the file exists: nothing is overwritten.
    """
    folder = path.name.removesuffix(".tar.gz")
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as archive:
        for name, text in files.items():
            body = text.encode("utf-8", errors="replace")
            entry = tarfile.TarInfo(f"{folder}/{name}")
            entry.size, entry.mode, entry.mtime = len(body), FILE_MODE, int(now.timestamp())
            archive.addfile(entry, io.BytesIO(body))
    try:
        with path.open("xb") as file:
            path.chmod(FILE_MODE)
            file.write(content.getvalue())
    except FileExistsError:
        raise OperatorError(f"{path} exists", "name another file by --output", ExitCode.USAGE) from None
    except OSError as error:
        raise OperatorError(f"{path} cannot be written: {error.strerror}", code=ExitCode.USAGE) from None
    return len(content.getvalue())
