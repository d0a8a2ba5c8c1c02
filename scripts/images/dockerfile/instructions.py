"""The instructions of a Dockerfile, one by one (https://docs.docker.com/reference/dockerfile/).

Not dockerfile-parse (2.0.1): it takes the lines of a heredoc for instructions and knows no `${NAME:-default}`.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

_HEREDOC = re.compile(r"<<-?(?P<quote>[\"']?)(?P<word>[A-Za-z_]\w*)(?P=quote)")
_WITH_HEREDOC = frozenset({"RUN", "COPY", "ADD"})
_FLAG = re.compile(r"--(?P<name>[a-z-]+)(?:=(?P<value>\S*))?\s*")
_VARIABLE = re.compile(r"\$(?:(?P<plain>\w+)|\{(?P<name>\w+)(?::-(?P<default>[^}]*))?\})")
_PAIR = re.compile(r"(?P<name>\w+)=(?P<value>\"[^\"]*\"|'[^']*'|\S*)")


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction with its continuation lines joined."""

    line: int
    """Number of its first line."""
    name: str
    """In capitals."""
    flags: Mapping[str, str]
    """What stands between name and arguments with two dashes."""
    value: str
    heredocs: tuple[str, ...]
    """Words that end its heredocs."""
    variables: Mapping[str, str]
    """What ARG and ENV say at this place of its stage, build arguments included."""

    @property
    def words(self) -> list[str]:
        """Its arguments, variables replaced; one without a value stays as it is written."""
        return [_expanded(word.strip("\"'"), self.variables) for word in self.value.split()]


def instructions(dockerfile: str, arguments: Mapping[str, str]) -> Iterator[Instruction]:
    """Yield the instructions of a Dockerfile that is built with `arguments`."""
    variables: dict[str, str] = {}
    before: dict[str, str] = {}
    for (line, *_), text, heredocs in _joined(dockerfile.splitlines()):
        name, _, value = text.partition(" ")
        flags: dict[str, str] = {}
        value = value.strip()
        while match := _FLAG.match(value):
            flags[match["name"]] = match["value"] or ""
            value = value[match.end() :]
        name = name.upper()
        yield Instruction(line, name, flags, value, heredocs, dict(variables))
        if name == "FROM":
            variables = {}
        elif name == "ARG":
            key, _, default = value.partition("=")
            known = arguments.get(key) or _expanded(default.strip("\"'"), variables) or before.get(key, "")
            variables[key] = known
            before.setdefault(key, known)
        elif name == "ENV":
            pairs = {match["name"]: match["value"].strip("\"'") for match in _PAIR.finditer(value)}
            if not pairs:
                key, _, rest = value.partition(" ")
                pairs = {key: rest.strip()}
            variables |= {key: _expanded(found, variables) for key, found in pairs.items()}


def instruction_lines(dockerfile: str) -> set[int]:
    """Return the numbers of the lines that are instructions: neither comments nor the text of a heredoc."""
    return {number for numbers, _, _ in _joined(dockerfile.splitlines()) for number in numbers}


def expand(text: str, values: Mapping[str, str]) -> str:
    """Return `text` with its variables replaced. Raises ValueError for one without a value."""

    def value(match: re.Match[str]) -> str:
        name = match["plain"] or match["name"]
        found = values.get(name) or match["default"]
        if not found:
            raise ValueError(f"the base image {text} needs the build argument {name}")
        return found

    return _VARIABLE.sub(value, text)


def _expanded(text: str, variables: Mapping[str, str]) -> str:
    try:
        return expand(text, variables)
    except ValueError:
        return text


def _joined(lines: list[str]) -> Iterator[tuple[list[int], str, tuple[str, ...]]]:
    """Yield lines and text of each instruction and what ends its heredocs; comments and heredocs are passed over."""
    position = 0
    while position < len(lines):
        numbers: list[int] = []
        text = ""
        while position < len(lines):
            line = lines[position].strip()
            position += 1
            if not line or line.startswith("#"):
                # Within an instruction both are passed over.
                if text:
                    continue
                break
            numbers.append(position)
            text += line.removesuffix("\\").rstrip() + " " if line.endswith("\\") else line
            if not line.endswith("\\"):
                break
        if not text:
            continue
        ends = tuple(match["word"] for match in _HEREDOC.finditer(text))
        if text.partition(" ")[0].upper() not in _WITH_HEREDOC:
            ends = ()
        for end in ends:
            while position < len(lines) and lines[position].strip() != end:
                position += 1
            position += 1
        yield numbers, text.strip(), ends
