"""The matrix of routes: each host's methods and paths, who may use them, and what is refused for which reason."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from stacks.common.request_headers import IDENTITY_HEADERS, ORIGIN_HEADERS, ROUTING_HEADERS
from stacks.common.routes import ANY_METHOD, READ, WEBSOCKET, HostRoutes, below

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "routes.md"
REFUSED = "nobody"
EVERY = 8
"""Methods that there are, web sockets among them."""

_HEAD = """# Routes

For operators and security reviewers: which methods and paths each public host answers, who may use them, and what is
refused for which reason.

This page is written by `llmctl policy routes --write` from `routes.py` of each component
(`stacks/platform/components`); `llmctl policy routes ENV` shows the hosts of one environment, `--json` for programs. A
test fails when it is out of date.

A request reaches an application when its path is written plainly and an allowed row of its host names method and path.
In a path, `{}` stands for one segment and `/**` for everything below. Who somebody is, the application checks: the
ingress only knows which routes there are. Plain HTTP is redirected, but for Let's Encrypt's challenges
(`/.well-known/acme-challenge/`, GET).

Refused before any application, on every host:

- paths with empty or dot segments, `;` or a backslash, and with `#`, `%`, `.`, `/`, `;`, `?`, a backslash or a control
  character in encoded form: programs disagree about each, so that two of them see different paths;
- methods that no row names (TRACE, CONNECT, WebDAV's), and changes to other protocols than web sockets (`h2c`).
"""

_MODES = """
## What the two ingress modes do

COMPARED

Paths of Ingress objects could not say this: the Application Gateway's ignore case, know no method and end in 502, and
F5 NGINX takes a prefix for any text that begins so. For the API's host they say it as well behind the Application
Gateway, as far as they can, so that without the firewall it answers no other paths. The other hosts answer every path
then: use `WAF_v2` in `Prevention` for an environment that can be reached from the internet. With NGINX, a challenge's
path reaches the application while no challenge is under way; none has anything there.
"""


_COMPARED = (
    ("", "`nginx`", "`application-gateway`"),
    ("---", "---", "---"),
    (
        "made of the rows",
        "a map in the controller's ConfigMap (`stacks/platform/components/ingress/snippets.py`)",
        "custom rules of the firewall (`stacks/network/firewall_routes.py`)",
    ),
    (
        "a refused request gets",
        "404",
        "403",
    ),
    (
        "compares",
        "the path as NGINX routes it, decoded; the path as sent has to be plain",
        "allowed paths as they were sent, refused ones decoded",
    ),
    (
        "headers that claim an identity, another path or method",
        "are dropped",
        "refuse the request",
    ),
    (
        "headers that claim another origin",
        "are dropped",
        "are passed on; applications do not decide by them",
    ),
    (
        "in force",
        "always",
        "with SKU `WAF_v2` and `waf_mode: Prevention`; in `Detection` the firewall only logs, `Standard_v2` has none",
    ),
)
"""What the two ingress modes do, row by row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One entry of a host."""

    host: str
    name: str
    who: str
    methods: tuple[str, ...]
    paths: tuple[str, ...]
    """Empty for refused routes that no allowed row names."""
    why: str


LISTED = "of these, NGINX lets through the routes and methods of the pinned version alone (`routes.tsv`)"


def rows(routes: Mapping[str, HostRoutes]) -> Iterator[Row]:
    """Yield every entry of every host, in the order in which they count."""
    for host, answered in routes.items():
        for refused in answered.refused:
            if refused.paths:
                yield Row(
                    host=host,
                    name=refused.name,
                    who=REFUSED,
                    methods=refused.methods,
                    paths=refused.paths,
                    why=refused.why,
                )
        for allowed in answered.allowed:
            yield Row(
                host=host,
                name=allowed.name,
                who=allowed.who.value,
                methods=allowed.methods,
                paths=allowed.paths,
                why=f"{allowed.why}; {LISTED}" if allowed.listed else allowed.why,
            )
        if answered.pages:
            reserved = " ".join(below(answered.pages.reserved)[::2])
            yield Row(
                host=host,
                name="pages",
                who=answered.pages.who.value,
                methods=READ,
                paths=("/**",),
                why=f"pages: every path but {reserved} and below",
            )
        for refused in answered.refused:
            if not refused.paths:
                yield Row(
                    host=host,
                    name=refused.name,
                    who=REFUSED,
                    methods=(*ANY_METHOD, "OPTIONS", WEBSOCKET),
                    paths=(),
                    why=refused.why,
                )


def matrix(routes: Mapping[str, HostRoutes]) -> list[dict[str, object]]:
    """Return the same as plain data."""
    return [asdict(row) for row in rows(routes)]


def page(routes: Mapping[str, HostRoutes]) -> str:
    """Return the page of the documentation; `routes` by the first part of the host's name."""
    lines = [_HEAD]
    for host, answered in routes.items():
        lines += [f"## {host}.<domain>", "", "| who | methods | paths | for |", "|---|---|---|---|"]
        for row in rows({host: answered}):
            paths = " ".join(f"`{path}`" for path in row.paths) or f"all other ({row.name})"
            methods = ", ".join(row.methods) if len(row.methods) < EVERY else "all"
            lines.append(f"| {row.who} | {methods} | {paths} | {row.why} |")
        lines.append("")
    headers = {
        "an identity": IDENTITY_HEADERS,
        "another path or method": ROUTING_HEADERS,
        "another origin": ORIGIN_HEADERS,
    }
    lines += ["## Headers that do not count", "", "| they claim | headers |", "|---|---|"]
    lines += [f"| {claim} | {', '.join(f'`{name}`' for name in names)} |" for claim, names in headers.items()]
    lines += ["", "`Authorization`, `X-Api-Key`, cookies and the like are passed on: the application checks them."]
    compared = "\n".join(f"| {' | '.join(cells)} |" for cells in _COMPARED)
    return "\n".join(lines) + "\n" + _MODES.replace("COMPARED", compared)
