"""Changes the list of models in an environment file, and nothing else in it."""

import re
from collections.abc import Mapping, Sequence

from ruamel.yaml import YAML
from ruamel.yaml.nodes import CollectionNode, MappingNode, Node, SequenceNode

from scripts.core.environment_file import with_value
from scripts.core.errors import ExitCode, OperatorError
from stacks.settings.models import ModelSettings

MODELS = "models"
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/+-]*")
_FIXED = ("name", "engine")
"""What makes a model another one."""
_LISTS = ("pool",)
"""Keys that take one value or several in order, which a command line writes with commas between them."""


def assignments(words: Sequence[str]) -> dict[str, str]:
    """Return the values of `key=value` words, as the file has them: several pools as a list.

    Raises OperatorError for a key that models do not have, and for a value that YAML would read as something else.
    """
    known = [key for key in ModelSettings.model_fields if key not in _FIXED]
    found = {}
    for word in words:
        key, sign, value = word.partition("=")
        if not sign or key not in known:
            raise OperatorError(f"{word!r} is no KEY=VALUE", f"keys are {', '.join(known)}", ExitCode.USAGE)
        parts = value.split(",") if key in _LISTS else [value]
        if not all(map(_PLAIN.fullmatch, parts)):
            raise OperatorError(f"{key}: {value!r} is no plain value", "null takes a value away", ExitCode.USAGE)
        found[key] = in_order(parts)
    return found


def in_order(values: Sequence[str]) -> str:
    """Return one value as it is, several as a list in one line."""
    return values[0] if len(values) == 1 else f"[{', '.join(values)}]"


def names(text: str) -> list[str]:
    """Return the names of the listed models, in their order."""
    return [_name(item) for item in _items(text)]


def with_model(text: str, fields: Mapping[str, str]) -> str:
    """Return `text` with another model as the last of the list. Raises OperatorError when there is one of that name."""
    if fields["name"] in names(text):
        raise OperatorError(
            f"{fields['name']} is listed already", "`llmctl models list` shows it; `remove` takes it away",
            ExitCode.REFUSED,
        )  # fmt: skip
    items = _items(text)
    indent = " " * (items[-1].start_mark.column - 2 if items else 2)
    lines = [
        f"{indent}{'- ' if index == 0 else '  '}{key}: {value}" for index, (key, value) in enumerate(fields.items())
    ]
    rows = text.splitlines()
    if items:
        _require_block(items[-1])
        after = _last_row(items[-1]) + 1
        return _joined([*rows[:after], *lines, *rows[after:]])
    listed = _value(text)
    if listed is None:
        return _joined([*rows, "", f"{MODELS}:", *lines])
    row = listed.start_mark.line
    return _joined([*rows[:row], f"{MODELS}:", *lines, *rows[row + 1 :]])


def without_model(text: str, name: str) -> str:
    """Return `text` without the model. Raises OperatorError when there is none of that name."""
    item = _items(text)[position(text, name)]
    _require_block(item)
    rows = text.splitlines()
    first = item.start_mark.line
    left = [*rows[:first], *rows[_last_row(item) + 1 :]]
    if len(names(text)) == 1:
        left = [f"{MODELS}: []" if row.split("#")[0].rstrip() == f"{MODELS}:" else row for row in left]
    return _joined(left)


def with_model_values(text: str, name: str, values: Mapping[str, str]) -> str:
    """Return `text` with other values of one model. Raises OperatorError when there is none of that name."""
    index = position(text, name)
    for key, value in values.items():
        text = with_value(text, (MODELS, index, key), value, may_be_list=key in _LISTS)
    return text


def position(text: str, name: str) -> int:
    """Return the place of a model in the list. Raises OperatorError when there is none of that name."""
    listed = names(text)
    if name not in listed:
        raise OperatorError(f"no such model: {name}", f"the models are {', '.join(listed) or 'none'}", ExitCode.USAGE)
    return listed.index(name)


def _value(text: str) -> Node | None:
    root = YAML(typ="safe", pure=True).compose(text)
    if not isinstance(root, MappingNode):
        return None
    return next((child for key, child in root.value if key.value == MODELS), None)


def _items(text: str) -> list[MappingNode]:
    listed = _value(text)
    return list(listed.value) if isinstance(listed, SequenceNode) else []


def _name(item: MappingNode) -> str:
    return next((str(child.value) for key, child in item.value if key.value == "name"), "")


def _last_row(node: Node) -> int:
    while isinstance(node, CollectionNode) and node.value and not node.flow_style:
        last = node.value[-1]
        node = last[1] if isinstance(last, tuple) else last
    row: int = node.end_mark.line
    return row


def _require_block(item: MappingNode) -> None:
    if item.flow_style:
        raise OperatorError(
            "models are written in one line each, which this command does not change",
            "edit the environment file by hand, or write one key a line",
            ExitCode.SETTINGS,
        )


def _joined(rows: Sequence[str]) -> str:
    return "\n".join(rows) + "\n"
