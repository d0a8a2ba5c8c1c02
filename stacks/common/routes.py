"""Which requests a host answers: allow-lists by method and path, and what is refused by name.

A request is let through when its path is written plainly (`PLAIN`), no `Refused` of the host names it, and an `Allowed`
or the host's `Pages` do. Both ingress modes are made from these descriptions: NGINX's map
(`components/ingress/snippets.py`) and the custom rules of the Application Gateway's firewall
(`stacks/network/firewall_routes.py`).
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

WEBSOCKET = "WEBSOCKET"
"""In the place of a method: a GET that asks for a web socket. No other protocol is changed to."""

READ = ("GET", "HEAD")
WRITE = ("POST", "PUT", "PATCH", "DELETE")
ANY_METHOD = (*READ, *WRITE)
"""Every method that a client of the platform has a use for. TRACE, CONNECT, WebDAV's and others are refused."""

NOT_PLAIN = r"^(https?://[^/?]*)?/([^?]*/)?(/|\.\.?([/?]|$))|^[^?]*(;|\x5c|%([01][0-9a-f]|2[35ef]|3[bf]|5c|7f))"
"""What no path may contain: empty and dot segments, parameters, backslashes, and in encoded form control characters,
`#`, `%`, `.`, `/`, `;`, `?` and the backslash. Programs disagree about each, so that one behind the other sees another
path. Case is ignored; the backslash is written as a number, because NGINX would unescape it."""


class Who(StrEnum):
    """Who may use a route; the application behind the ingress checks it."""

    ANYONE = "anyone"
    """Without a login: logins themselves, health."""
    PERSON = "members of the access group"
    ADMINISTRATOR = "administrators of the application"
    """The application itself refuses everybody else."""
    PROGRAM = "programs with a key or token"


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowed:
    """Routes that a host answers.

    In paths `{}` stands for one segment, and `/**` at the end for everything below, the folder itself included.
    """

    name: str
    who: Who
    methods: tuple[str, ...]
    paths: tuple[str, ...]
    why: str
    """What they are for, in half a sentence."""
    listed: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """By method, all that the pinned program has of them. Either ingress then answers these alone, so that a route of
    another version is not let through by itself."""

    def by_method(self, method: str) -> tuple[str, ...]:
        """Return the paths that it answers by a method."""
        if not self.listed:
            return self.paths if method in self.methods else ()
        return tuple(path for listed, paths in self.listed if listed == method for path in paths)

    def answers(self, method: str, path: str) -> bool:
        """Return whether it lets a request through."""
        return matches(self.by_method(method), path)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """Routes of the application that the host does not answer; those without `paths` are refused as all not allowed."""

    name: str
    why: str
    paths: tuple[str, ...] = ()
    """Set where an `Allowed` would let them through. Written as there."""
    methods: tuple[str, ...] = (*ANY_METHOD, "OPTIONS", WEBSOCKET)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pages:
    """An application's pages: GET of every path, except where programs answer."""

    reserved: tuple[str, ...]
    """First segments below which pages end and the allow-list begins."""
    who: Who = Who.PERSON


@dataclass(frozen=True, kw_only=True)
class HostRoutes:
    """Everything that one host answers."""

    allowed: tuple[Allowed, ...]
    refused: tuple[Refused, ...] = ()
    pages: Pages | None = None

    @cached_property
    def methods(self) -> tuple[str, ...]:
        """Methods that any route of the host has, in a fixed order."""
        used = {method for allowed in self.allowed for method in allowed.methods} | set(READ if self.pages else ())
        return tuple(method for method in (*ANY_METHOD, "OPTIONS", WEBSOCKET) if method in used)

    def answers(self, method: str, path: str) -> bool:
        """Return whether a request reaches the application; `path` without a query."""
        if re.search(NOT_PLAIN, path, re.IGNORECASE):
            return False
        if any(method in refused.methods and matches(refused.paths, path) for refused in self.refused):
            return False
        if any(allowed.answers(method, path) for allowed in self.allowed):
            return True
        return self.pages is not None and method in READ and not matches(below(self.pages.reserved), path)


def listed(table: str, name: str, *, prefix: str = "") -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return the paths of an entry by method, from a table of routes (`routes.tsv`); HEAD goes where GET does.

    A parameter of several segments stands for everything below it, and a slash may stand at the end of any path. On the
    host the paths begin with `prefix`.
    """
    found: dict[str, dict[str, None]] = {}
    for line in table.splitlines():
        if line.startswith("#"):
            continue
        methods, path, entry = line.split("\t")
        if entry != name:
            continue
        plain = prefix + re.sub(r"\{[^}]+\}", "{}", re.sub(r"/\{[^}]+:path\}.*", "/**", path))
        both = (plain,) if plain.endswith("/**") else (plain.rstrip("/"), f"{plain.rstrip('/')}/")
        for method in methods.split(","):
            for answered in READ if method == "GET" else (method,):
                found.setdefault(answered, {}).update(dict.fromkeys(both))
    return tuple((method, tuple(paths)) for method, paths in found.items())


def below(segments: Iterable[str]) -> tuple[str, ...]:
    """Return the paths of first segments and everything below them."""
    return tuple(path for segment in segments for path in (f"/{segment}", f"/{segment}/**"))


def expression(paths: Iterable[str]) -> str:
    """Return a regular expression for the paths, without anchors: groups, classes and repetition alone.

    Such an expression means the same to PCRE (NGINX), to Azure's firewall and to Python.
    """
    return f"({'|'.join(expressions(paths, 1))})"


def expressions(paths: Iterable[str], characters: int) -> list[str]:
    """Return the same as several expressions of about so many characters, each for paths of one folder."""
    folders: dict[str, dict[str, set[str]]] = {}
    for path in paths:
        stem, everything = (path[:-3], "/.*") if path.endswith("/**") else (path, "")
        folder, _, name = stem.rpartition("/")
        everything = everything if name else everything.lstrip("/")
        folders.setdefault(folder, {}).setdefault(name, set()).add(everything)
    found = []
    for folder, names in folders.items():
        parts = [_plain(name) + _ending(endings) for name, endings in names.items()]
        while parts:
            few = [parts.pop(0)]
            while parts and sum(map(len, [folder, *few, parts[0]])) + len(few) < max(characters, 200):
                few.append(parts.pop(0))
            found.append(f"{_plain(folder)}/{few[0] if len(few) == 1 else '(' + '|'.join(few) + ')'}")
    return found


def _ending(endings: set[str]) -> str:
    return f"({'|'.join(sorted(endings - {''}))})?" if len(endings) > 1 else "".join(endings)


def _plain(path: str) -> str:
    return "[^/]+".join(re.escape(part).replace(r"\-", "-") for part in path.split("{}"))


def matches(paths: tuple[str, ...], path: str) -> bool:
    """Return whether one of the paths stands for `path`."""
    return bool(paths) and re.fullmatch(expression(paths), path, re.DOTALL) is not None
