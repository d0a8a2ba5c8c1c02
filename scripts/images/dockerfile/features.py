"""What a Dockerfile asks of its builder, and which builders lack it.

Every builder takes Dockerfiles, but the same file does not mean the same to all: BuildKit, which docker uses, takes a
pattern that matches nothing, heredocs and more options. Here it is read before anything is built.
"""

import fnmatch
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from .instructions import Instruction, instructions


class Feature(StrEnum):
    """What not every builder can do; the text says what the Dockerfile does."""

    EMPTY_PATTERN = "copies a pattern that matches no file"
    MOUNT = "mounts something while it runs a command (RUN --mount)"
    HEREDOC = "has a heredoc (<<)"
    OPTION = "has an option of BuildKit"
    FRONTEND = "asks for another frontend (# syntax)"


@dataclass(frozen=True, slots=True)
class Use:
    """One place of a Dockerfile that asks for a feature."""

    line: int
    feature: Feature
    what: str
    """The pattern, the option, the frontend."""

    def __str__(self) -> str:
        return f"line {self.line} {self.feature.value}: {self.what}"


_SYNTAX = re.compile(r"\A(?:[ \t]*#[^\n]*\n)*?[ \t]*#[ \t]*syntax[ \t]*=[ \t]*(?P<frontend>\S+)", re.IGNORECASE)
_COMMON_FRONTEND = re.compile(r"(docker\.io/)?docker/dockerfile(:1(\.\d+)*)?(@\S+)?")
_EVERYWHERE = {
    "FROM": {"platform"},
    "COPY": {"from", "chown", "chmod"},
    "ADD": {"chown", "chmod"},
    "RUN": {"mount", "network"},
    "HEALTHCHECK": {"interval", "timeout", "start-period", "start-interval", "retries"},
}
"""Options that every builder here takes; mounts are a feature of their own."""


def uses(dockerfile: str, arguments: Mapping[str, str], files: Collection[str]) -> list[Use]:
    """Return what a Dockerfile asks of a builder; `files` are those of its context, by path."""
    found = []
    syntax = _SYNTAX.match(dockerfile)
    # Builders without BuildKit have the usual one built in, but for the features that are found by themselves.
    if syntax and not _COMMON_FRONTEND.fullmatch(syntax["frontend"]):
        found.append(Use(1, Feature.FRONTEND, syntax["frontend"]))
    for instruction in instructions(dockerfile, arguments):
        found += _uses(instruction, files)
    return found


def _uses(instruction: Instruction, files: Collection[str]) -> Iterator[Use]:
    line = instruction.line
    if "mount" in instruction.flags:
        yield Use(line, Feature.MOUNT, f"--mount={instruction.flags['mount']}")
    if instruction.heredocs:
        yield Use(line, Feature.HEREDOC, ", ".join(instruction.heredocs))
    for option in sorted(set(instruction.flags) - _EVERYWHERE.get(instruction.name, set())):
        yield Use(line, Feature.OPTION, f"{instruction.name} --{option}")
    if instruction.name in {"COPY", "ADD"} and "from" not in instruction.flags:
        sources = _sources(instruction)
        # One that matches is enough, measured with buildah 1.28; a plain name that is missing fails everywhere.
        if sources and all(_is_pattern(source) and not _found(source, files) for source in sources):
            yield Use(line, Feature.EMPTY_PATTERN, " ".join(sources))


def _sources(instruction: Instruction) -> list[str]:
    words = [word.strip("[],\"'") for word in instruction.words]
    return [word for word in words[:-1] if word and not word.startswith("<<")]


def _is_pattern(source: str) -> bool:
    return any(mark in source for mark in "*?[") and "://" not in source


def _found(pattern: str, files: Collection[str]) -> bool:
    return any(_matches(path, pattern) for path in files)


def _matches(path: str, pattern: str) -> bool:
    """As Go's filepath.Match, part by part; a folder that matches counts with what is in it."""
    names, parts = pattern.removeprefix("./").strip("/").split("/"), path.split("/")
    return len(parts) >= len(names) and all(map(fnmatch.fnmatchcase, parts, names))
