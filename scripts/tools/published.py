"""`python -m scripts.tools.published`: writes the checksums, and commits, that belong to the pinned versions.

Run it after a version of `tools.toml` has changed. `--check` writes nothing and ends with 1 where one differs.
"""

import http.client
import json
import re
import sys
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path

from .catalogue import FILE, Tool, descriptions, tool

_TIMEOUT_S = 30.0
_SUM = re.compile(r"\b[0-9a-f]{64}\b")
_COMMIT = re.compile(r"[0-9a-f]{40}")


def read(url: str) -> str:
    """Return a page's text. Raises OSError, http.client.HTTPException."""
    with urllib.request.urlopen(url, timeout=_TIMEOUT_S) as answer:  # noqa: S310 - of tools.toml
        return str(answer.read().decode("utf-8"))


def published(wanted: Tool, page: str) -> str:
    """Return the sum of a tool's release in a page of sums, or in one that holds nothing else. Raises ValueError."""
    file = wanted.url.rpartition("/")[2]
    lines = [line for line in page.splitlines() if _SUM.search(line)]
    named = [line for line in lines if line.split()[-1].lstrip("*").rpartition("/")[2] == file]
    (line,) = named or lines
    found = _SUM.search(line)
    assert found is not None
    return found[0]


def renewed(text: str, ask: Callable[[str], str] = read) -> str:
    """Return the file's text with the sums that are published now. Raises OSError, ValueError."""
    for name, description in descriptions().items():
        for where, pinned in description.get("sha256", {}).items():
            wanted = tool(name, where)
            text = text.replace(pinned, published(wanted, ask(wanted.published)))
        commit = description.get("go", {}).get("nested", "")
        if _COMMIT.fullmatch(commit):
            text = text.replace(commit, _commit(tool(name), ask))
    return text


def _commit(wanted: Tool, ask: Callable[[str], str]) -> str:
    assert wanted.go is not None
    version = json.loads(ask(f"https://proxy.golang.org/{wanted.go.module}/@v/{wanted.go.version}.info"))
    return str(version["Origin"]["Hash"])


def main(arguments: Sequence[str], file: Path = FILE, ask: Callable[[str], str] = read) -> int:
    """Write or compare; return the exit status."""
    before = file.read_text("utf-8")
    try:
        after = renewed(before, ask)
    except (OSError, ValueError, KeyError, http.client.HTTPException) as error:
        sys.stderr.write(f"the published checksums cannot be read: {error}\n")
        return 1
    if "--check" in arguments:
        return int(before != after)
    file.write_text(after, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
