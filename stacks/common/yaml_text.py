"""Parses YAML of this repository; what was parsed once is kept as JSON, which is read a hundred times as fast.

The parser of YAML 1.2 is written in Python, and the files in `helm/` change seldom. A text is known by its digest and
by the version of the parser: a changed file is another text, and nothing has to be cleared.
"""

import hashlib
import json
import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from ruamel import yaml

KEPT = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "llm-platform" / "yaml"


def parsed(text: str, *, kept_in: Path = KEPT) -> Any:
    """Return what the YAML text says. What JSON cannot say alike, such as a date, is parsed each time.

    Raises YAMLError for a text that is not YAML.
    """
    digest = hashlib.sha256(f"{yaml.__version__}\n{text}".encode()).hexdigest()
    kept = kept_in / f"{digest}.json"
    with suppress(OSError, ValueError):
        return json.loads(kept.read_text("utf-8"))
    content = yaml.YAML(typ="safe").load(text)
    with suppress(OSError, TypeError, ValueError):
        written = json.dumps(content)
        if json.loads(written) == content:
            _write(kept, written)
    return content


def _write(file: Path, text: str) -> None:
    # Other processes see the whole file or none.
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=file.parent, delete=False) as written:
        written.write(text)
    Path(written.name).replace(file)
