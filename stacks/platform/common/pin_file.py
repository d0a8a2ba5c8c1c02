"""Reads the lists of pinned charts and images, and says what is wrong with one in a sentence: file, key, fix."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml.error import MarkedYAMLError, YAMLError

from stacks.common.yaml_text import parsed
from stacks.settings.file.errors import LocatedError, SettingsError, one_line, shown

DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
COMMIT = re.compile(r"[0-9a-f]{40}")
_RESTORED = "; `git restore` brings it back"
_SHAPES = {
    "digest": (DIGEST, "must be sha256: and 64 of the digits 0-9a-f; `llmctl images pin` writes it"),
    "commit": (COMMIT, "must be 40 of the digits 0-9a-f; `llmctl images pin` writes it"),
}


def read_pins(path: Path) -> dict[str, Any]:
    """Return the mapping that the file holds. Raises SettingsError when there is none to read."""
    label = f"{path.parent.name}/{path.name}"
    if path.exists() and not path.is_file():
        raise _refused(label, f"is no file{_RESTORED}")
    try:
        content = parsed(path.read_text("utf-8"))
    except FileNotFoundError:
        missing = "is a link to a file that does not exist" if path.is_symlink() else "does not exist"
        raise _refused(label, f"{missing}{_RESTORED}") from None
    except UnicodeDecodeError:
        raise _refused(label, "is not UTF-8 text; save it as UTF-8") from None
    except OSError as error:
        raise _refused(label, f"cannot be read: {error.strerror}{_RESTORED}") from None
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise _refused(
            label, f"is not valid YAML: {one_line(error.problem or 'syntax error', 120)}", mark and mark.line + 1
        ) from None
    except (YAMLError, ValueError):
        raise _refused(label, "is not valid YAML") from None
    if not isinstance(content, dict):
        raise _refused(label, "is empty" if content is None else "must hold keys and values, not a list or one value")
    return content


def pin_of(
    path: Path, key: str, given: object, *, required: tuple[str, ...], known: tuple[str, ...]
) -> Mapping[str, Any]:
    """Return one entry of the file at `key`, with the keys that it needs and no other. Raises SettingsError."""
    label = f"{path.parent.name}/{path.name}"
    if not isinstance(given, Mapping):
        raise _refused(label, f"must hold {', '.join(required)}", key=key, value=shown(given))
    for name in required:
        if name not in given:
            raise _refused(label, "is missing", key=f"{key}.{name}")
    for name, value in given.items():
        at = f"{key}.{name}"
        if name not in known:
            raise _refused(label, f"is no known key; known are {', '.join(known)}", key=at)
        if name in required and not isinstance(value, str):
            raise _refused(label, "must be a text; put it in quotes", key=at, value=shown(value))
        pattern, meaning = _SHAPES.get(name, (None, ""))
        if pattern and value is not None and not (isinstance(value, str) and pattern.fullmatch(value)):
            raise _refused(label, meaning, key=at, value=shown(value))
    return given


def _refused(label: str, message: str, line: int | None = None, *, key: str = "", value: str = "") -> SettingsError:
    return SettingsError([LocatedError(label, line, key, value, message)])
