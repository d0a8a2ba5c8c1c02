"""The images that a Dockerfile builds on (https://docs.docker.com/reference/dockerfile/).

Not dockerfile-parse (2.0.1): it knows no image in `COPY --from` or `--mount`, and setting a base drops `--platform`.
"""

import re
from collections.abc import Callable, Mapping

from .instructions import expand, instruction_lines

_FROM = re.compile(
    r"^(?P<head>[ \t]*FROM[ \t]+(?:--\S+[ \t]+)*)(?P<image>[^\s#]+)(?P<tail>(?:[ \t]+AS[ \t]+(?P<stage>\S+))?)",
    re.IGNORECASE | re.MULTILINE,
)
_COPY = re.compile(
    r"(?P<head>^[ \t]*(?:COPY|ADD)[ \t]+(?:--\S+[ \t]+)*?--from=|--mount=(?:[^\s,]+,)*from=)(?P<image>[^\s,]+)",
    re.IGNORECASE | re.MULTILINE,
)
_ARG = re.compile(r"^[ \t]*ARG[ \t]+(?P<name>\w+)(?:=(?P<value>\S+))?", re.IGNORECASE | re.MULTILINE)


def base_images(dockerfile: str, arguments: Mapping[str, str]) -> list[str]:
    """Return the images that a Dockerfile starts from or copies from, in order, each once.

    Stages of the same file and `scratch` are left out. Raises ValueError when a name holds a variable that neither
    `arguments` nor the file gives a value.
    """
    found: list[str] = []

    def note(image: str) -> str:
        found.append(image)
        return image

    _rewrite(dockerfile, arguments, note)
    return list(dict.fromkeys(found))


def pin_bases(dockerfile: str, arguments: Mapping[str, str], digests: Mapping[str, str]) -> str:
    """Return the Dockerfile with every base image that `digests` names replaced by that digest."""

    def pinned(image: str) -> str:
        digest = digests.get(image)
        return f"{image}@{digest}" if digest and "@" not in image else image

    return _rewrite(dockerfile, arguments, pinned)


def _rewrite(dockerfile: str, arguments: Mapping[str, str], replace: Callable[[str], str]) -> str:
    values = _global_arguments(dockerfile) | dict(arguments)
    stages: set[str] = {"scratch"}
    lines = instruction_lines(dockerfile)

    def in_an_instruction(match: re.Match[str]) -> bool:
        return dockerfile.count("\n", 0, match.start("image")) + 1 in lines

    def external(written: str) -> str | None:
        """Return the image's full name, or None for something inside the file."""
        image = expand(written, values)
        return None if image.lower() in stages or image.isdigit() else image

    def from_line(match: re.Match[str]) -> str:
        if not in_an_instruction(match):
            return match[0]
        image = external(match["image"])
        if match["stage"]:
            stages.add(match["stage"].lower())
        return f"{match['head']}{match['image'] if image is None else replace(image)}{match['tail']}"

    def copy_line(match: re.Match[str]) -> str:
        if not in_an_instruction(match):
            return match[0]
        image = external(match["image"])
        return f"{match['head']}{match['image'] if image is None else replace(image)}"

    return _COPY.sub(copy_line, _FROM.sub(from_line, dockerfile))


def _global_arguments(dockerfile: str) -> dict[str, str]:
    first = _FROM.search(dockerfile)
    head = dockerfile[: first.start()] if first else dockerfile
    return {match["name"]: (match["value"] or "").strip("\"'") for match in _ARG.finditer(head) if match["value"]}
