"""The descriptions of `tools.toml`, filled in for a version and this machine."""

import platform
import sys
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("tools.toml")
_ARCHITECTURES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}


@dataclass(frozen=True)
class GoProgram:
    """How a program is built by Go."""

    module: str
    version: str
    package: str
    stamps: tuple[str, ...] = ()
    """Variables that the linker sets, as its flag `-X` takes them."""
    nested: str = ""
    """Version or commit of the modules that lie in the module's own source tree, which Go's proxy serves apart."""


@dataclass(frozen=True)
class Tool:
    """One program in one version, for one platform."""

    name: str
    title: str
    version: str
    url: str
    member: str
    """The program within the archive; empty where the release is the program itself."""
    sha256: str
    """Of the release; empty where the platform has none."""
    published: str
    """Where the project publishes the sum."""
    install: str
    """Page that says how people install it."""
    go: GoProgram | None = None

    @property
    def folder(self) -> str:
        """Name of its folder in the cache."""
        return f"{self.name}-v{self.version}"


def this_platform() -> str:
    """Return system and processor in the words of most releases, such as `linux-amd64`."""
    machine = platform.machine().lower()
    return f"{sys.platform}-{_ARCHITECTURES.get(machine, machine)}"


@cache
def descriptions() -> Mapping[str, Any]:
    """Return the file as it stands."""
    return tomllib.loads(FILE.read_text("utf-8"))


def everyday() -> list[str]:
    """Return the programs that operators' commands run, and people too: those with a page on how to install them."""
    return [name for name, found in descriptions().items() if "install" in found]


def tool(name: str, where: str | None = None) -> Tool:
    """Return the description of a program for a platform, this machine's where none is given. Raises KeyError."""
    found, target = descriptions()[name], where or this_platform()
    system, _, processor = target.partition("-")
    _, minor, patch = found["version"].split(".")

    def filled(text: str) -> str:
        return text.format(version=found["version"], minor=minor, patch=patch, os=system, arch=processor)

    return Tool(
        name=name,
        title=found.get("title", name),
        version=found["version"],
        url=filled(found.get("url", "")),
        member=filled(found.get("member", "")),
        sha256=found.get("sha256", {}).get(target, ""),
        published=filled(found.get("published", "")),
        install=found.get("install", ""),
        go=_go(found, filled) if "go" in found else None,
    )


def _go(found: Mapping[str, Any], filled: Callable[[str], str]) -> GoProgram:
    given = found["go"]
    return GoProgram(
        module=given["module"],
        version=f"v{found['version']}",
        package=given.get("package", given["module"]),
        stamps=tuple(filled(stamp) for stamp in given.get("stamps", ())),
        nested=filled(given.get("nested", "")),
    )
