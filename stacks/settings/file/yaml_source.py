"""Reads the part of YAML that environment files use, keeping the line of every key.

Anchors, aliases, tags and merge keys are refused: a file that is compared, edited by commands and reviewed by people
says each value where it counts, and none of it can grow when it is read.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from .errors import Key, LocatedError, SettingsError, dotted, one_line

LARGEST_FILE = 256 * 1024
"""Characters; a file of thousands of models stays below it."""
_DEEPEST = 12
_TAG = "tag:yaml.org,2002:"
_DIGITS = 18


@dataclass
class Source:
    """An environment file as plain data, and where each key stands."""

    file: str
    data: dict[str, object] = field(default_factory=dict)
    lines: dict[Key, int] = field(default_factory=dict)

    def line(self, key: Key) -> int | None:
        """Return the line of `key`, or of the nearest key above it that stands in the file."""
        while key and key not in self.lines:
            key = key[:-1]
        return self.lines.get(key)


def read(text: str, file: str) -> Source:
    """Return the YAML document `text`; raises SettingsError naming every place that is not usable YAML."""

    def refused(message: str, line: int | None = None) -> SettingsError:
        return SettingsError([LocatedError(file, line, "", "", message)])

    if len(text) > LARGEST_FILE:
        raise refused(f"is larger than {LARGEST_FILE // 1024} KiB; that is no environment file")
    try:
        root = YAML(typ="safe", pure=True).compose(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise refused(_syntax_fault(error, text), mark.line + 1 if mark else None) from None
    except YAMLError as error:
        raise refused(f"is not valid YAML: {one_line(str(error).splitlines()[0], 120)}") from None
    except RecursionError:
        raise refused("is nested too deeply") from None
    except (ValueError, TypeError, AttributeError, IndexError, KeyError, AssertionError, NotImplementedError):
        # The parser lets these escape on some malformed tags, directives and escapes.
        raise refused("is not valid YAML") from None
    if root is None:
        raise refused("is empty; llmctl env new writes a file to start from")
    if not isinstance(root, MappingNode):
        raise refused("must hold keys and values such as `name: dev`, not a single value or a list", 1)
    source = Source(file)
    reader = _Reader(source)
    data = reader.value(root, ())
    if reader.errors:
        raise SettingsError(reader.errors)
    assert isinstance(data, dict)
    source.data = data
    return source


def _syntax_fault(error: MarkedYAMLError, text: str) -> str:
    mark = error.problem_mark
    lines = text.splitlines()
    if mark and mark.line < len(lines) and "\t" in lines[mark.line][: mark.column + 1]:
        return "has a tab in the indentation; indent with spaces"
    problem = one_line(error.problem or error.context or "syntax error", 120)
    return f"is not valid YAML: {problem}"


class _Reader:
    def __init__(self, source: Source) -> None:
        self.source = source
        self.errors: list[LocatedError] = []

    def value(self, node: Node, key: Key) -> object:
        if node.anchor is not None:
            return self.refuse(node, key, "uses an anchor (& or *); write the value out where it is used")
        if len(key) > _DEEPEST:
            return self.refuse(node, key, "is nested too deeply")
        match node:
            case MappingNode():
                return dict(self.entries(node, key))
            case SequenceNode():
                for index, item in enumerate(node.value):
                    self.source.lines[(*key, index)] = item.start_mark.line + 1
                return [self.value(item, (*key, index)) for index, item in enumerate(node.value)]
            case ScalarNode():
                return self.scalar(node, key)
        return self.refuse(node, key, "is no value, list or mapping")

    def entries(self, node: MappingNode, key: Key) -> Iterator[tuple[str, object]]:
        seen: dict[str, int] = {}
        for name_node, value_node in node.value:
            line = name_node.start_mark.line + 1
            if not isinstance(name_node, ScalarNode):
                self.refuse(name_node, key, "has a key that is not a plain name")
                continue
            name = str(name_node.value)
            if name_node.tag == f"{_TAG}merge":
                self.refuse(name_node, (*key, name), "merge keys are not supported; write the keys out")
            elif name_node.anchor is not None:
                self.refuse(name_node, (*key, name), "uses an anchor; write the key out")
            elif name in seen:
                self.refuse(name_node, (*key, name), f"stands twice, first on line {seen[name]}; keep one")
            else:
                seen[name] = line
                self.source.lines[(*key, name)] = line
                yield name, self.value(value_node, (*key, name))

    def scalar(self, node: ScalarNode, key: Key) -> object:
        text = str(node.value)
        kind = str(node.tag).removeprefix(_TAG)
        if any("\ud800" <= character <= "\udfff" for character in text):
            return self.refuse(node, key, "holds a character that is not valid Unicode")
        match kind:
            case "null":
                return None
            case "bool":
                return text.lower() == "true" if text.lower() in {"true", "false"} else text
            case "int" | "float":
                return self.number(node, key, kind)
            case "str" | "timestamp":
                return text
        return self.refuse(node, key, f"carries the tag {one_line(str(node.tag))}; write a plain value")

    def number(self, node: ScalarNode, key: Key, kind: str) -> object:
        text = str(node.value)
        if len(text) > _DIGITS:
            return self.refuse(node, key, f"is a number of more than {_DIGITS} digits; put text in quotes")
        try:
            number: float = _integer(text) if kind == "int" else float(text.replace("_", ""))
        except ValueError:
            if text.lower().lstrip("+-") not in {".nan", ".inf"}:
                return text
            number = math.nan
        return number if math.isfinite(number) else self.refuse(node, key, "must be a finite number")

    def refuse(self, node: Node, key: Key, message: str) -> object:
        self.errors.append(LocatedError(self.source.file, node.start_mark.line + 1, dotted(key), "", message))
        return None


def _integer(text: str) -> int:
    plain = text.replace("_", "")
    unsigned = plain.lstrip("+-").lower()
    return int(plain, 0) if unsigned.startswith(("0x", "0o", "0b")) else int(plain)
