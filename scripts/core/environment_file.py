"""Changes single values of an environment file, and nothing else in it."""

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode

from stacks.settings import Settings, SettingsError, parse_settings
from stacks.settings.file import loading

from .consent import Consent
from .errors import ExitCode, OperatorError
from .targets import load_environment

_folder: ContextVar[Path | None] = ContextVar("_folder", default=None)


def file_of(environment: str) -> Path:
    """Return the environment's file."""
    return (_folder.get() or loading.ENVIRONMENTS) / f"{environment}.yaml"


def text_of(environment: str) -> str:
    """Return the text of the environment's file. Raises OperatorError where it is missing or cannot be read."""
    try:
        return file_of(environment).read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        load_environment(environment)
        raise


@contextmanager
def files_below(base: Path) -> Iterator[None]:
    """Within, environment files are those in `base`/environments, as for a drill that changes one."""
    token = _folder.set(base / "environments")
    try:
        yield
    finally:
        _folder.reset(token)


Part = str | int
"""A step of a path in the file: a key of a section, or a position in a list."""


def with_value(text: str, key: Sequence[Part], value: str, *, may_be_list: bool = False) -> str:
    """Return the YAML `text` with the plain `value` at `key`; every other character stays.

    A whole round trip would keep the comments but lay out lists its own way, so the text is cut where ruamel says that
    the old value stands. Missing sections are made. Raises OperatorError for a text that holds no mapping there, and
    for a list, save one in one line where `may_be_list`.
    """
    try:
        node = YAML(typ="safe", pure=True).compose(text)
    except YAMLError:
        node = None
    for depth, part in enumerate(key):
        if isinstance(node, SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            continue
        if not isinstance(node, MappingNode):
            place = _path(key[:depth]) or "the environment file"
            raise OperatorError(f"{place} is no mapping, so {_path(key)} cannot be set", code=ExitCode.SETTINGS)
        found = next((child for name, child in node.value if name.value == part), None)
        if found is None:
            return _inserted(text, node, key[depth:], value)
        node = found
    in_one_line = may_be_list and isinstance(node, SequenceNode) and node.flow_style
    if not isinstance(node, ScalarNode) and not in_one_line:
        raise OperatorError(f"{_path(key)} is no plain value", code=ExitCode.SETTINGS)
    return text[: node.start_mark.index] + value + text[node.end_mark.index :]


def without_key(text: str, key: Sequence[str]) -> str:
    """Return the YAML `text` without `key`, whose value is a plain one; as it is where the key is not there.

    In a section that is written in braces the key stays, with the value `null`.
    """
    node = YAML(typ="safe", pure=True).compose(text)
    for depth, part in enumerate(key):
        if not isinstance(node, MappingNode):
            return text
        found = next(((name, child) for name, child in node.value if name.value == part), None)
        if found is None:
            return text
        if depth == len(key) - 1:
            if node.flow_style:
                return with_value(text, key, "null")
            rows = text.splitlines(keepends=True)
            return "".join([*rows[: found[0].start_mark.line], *rows[found[1].end_mark.line + 1 :]])
        node = found[1]
    return text


def _path(key: Sequence[Part]) -> str:
    return ".".join(map(str, key))


def _inserted(text: str, mapping: MappingNode, key: Sequence[Part], value: str) -> str:
    """Return the text with `key`, which is missing in `mapping`, as its last."""
    if mapping.flow_style:
        flow = value
        for part in reversed(key[1:]):
            flow = f"{{{part}: {flow}}}"
        end = mapping.end_mark.index - 1
        comma = ", " if mapping.value else ""
        return f"{text[:end].rstrip()}{comma}{key[0]}: {flow}{text[end:]}"
    indent = mapping.value[0][0].start_mark.column
    lines = [f"{' ' * (indent + 2 * depth)}{part}:" for depth, part in enumerate(key)]
    lines[-1] += f" {value}"
    if indent == 0 and len(lines) > 1:
        lines.insert(0, "")
    last = mapping
    while not isinstance(last, ScalarNode) and last.value and not last.flow_style:
        last = last.value[-1][1] if isinstance(last, MappingNode) else last.value[-1]
    rows = text.splitlines()
    return "\n".join([*rows[: last.end_mark.line + 1], *lines, *rows[last.end_mark.line + 1 :]]) + "\n"


def parsed(environment: str, text: str) -> Settings:
    """Return the settings that `text` describes. Raises OperatorError with all errors in it."""
    try:
        return parse_settings(text, f"environments/{environment}.yaml", environment)
    except SettingsError as error:
        raise OperatorError(str(error), "nothing was changed", ExitCode.SETTINGS) from None


def write(path: Path, text: str) -> None:
    """Replace the file in one step, keeping its permissions."""
    descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}.", suffix=".tmp")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        Path(draft).chmod(path.stat().st_mode & 0o777)
        Path(draft).replace(path)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise


class Edit:
    """A change of an environment file that holds once something has been deployed with it."""

    def __init__(self, path: Path, text: str) -> None:
        self._path = path
        self._before = path.read_text("utf-8")
        self._text = text
        self.kept = False

    def keep(self) -> None:
        """Let the change stand, because it is being deployed."""
        self.kept = True

    def apply(self) -> None:
        """Write the change."""
        write(self._path, self._text)

    def undo(self) -> None:
        """Bring the file back, unless somebody has edited it meanwhile."""
        if self._path.read_text("utf-8") == self._text:
            write(self._path, self._before)


@dataclass(frozen=True, kw_only=True)
class AgreedEdit(Consent):
    """Consent that lets the change of the environment file stand, because from then on it is being deployed."""

    edit: Edit

    def obtain(self, question: str, lost: Mapping[str, tuple[str, ...]]) -> None:
        """Return when the change may be made. Raises OperatorError (REFUSED) otherwise."""
        super().obtain(question, lost)
        self.edit.keep()


@contextmanager
def edited(environment: str, key: Sequence[Part], value: str) -> Iterator[Edit]:
    """Within, the environment's file has `value` at `key`; afterwards only if the change was kept.

    Raises OperatorError, with the file as it was, when the changed file breaks a rule.
    """
    with rewritten(environment, with_value(file_of(environment).read_text("utf-8"), key, value)) as edit:
        yield edit


@contextmanager
def rewritten(environment: str, text: str) -> Iterator[Edit]:
    """Within, the environment's file is `text`; afterwards only if the change was kept.

    Raises OperatorError, with the file as it was, when `text` breaks a rule.
    """
    path = file_of(environment)
    parsed(environment, text)
    edit = Edit(path, text)
    edit.apply()
    try:
        yield edit
    finally:
        if not edit.kept:
            edit.undo()
