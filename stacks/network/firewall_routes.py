"""Custom rules of the Application Gateway's firewall, by which each host answers its allowed routes alone.

The gateway's own path rules cannot say this: they know no method, ignore case, and end in 502. What custom rules can
say: https://learn.microsoft.com/azure/web-application-firewall/ag/custom-waf-rules-overview
"""

from collections.abc import Iterator, Mapping

from constructs.firewall_policy import Condition, CustomRule
from stacks.common.request_headers import IDENTITY_HEADERS, ROUTING_HEADERS
from stacks.common.routes import NOT_PLAIN, READ, WEBSOCKET, HostRoutes, below, expressions

MOST_CHARACTERS = 220
"""Of one expression, anchors left out; Azure takes 256."""
MOST_VALUES = 10
"""Of one condition, of which any may match; a rule has several conditions, all of which have to hold.
https://learn.microsoft.com/azure/azure-resource-manager/management/azure-subscription-service-limits#application-gateway-limits
"""
HEADERS_PER_RULE = 10
CHALLENGES = "/.well-known/acme-challenge/{}"
"""cert-manager answers them, by an Ingress of its own for the same host."""

_START, _END = r"^(https?://[^/?]*)?", r"(\?.*)?$"


def refused_requests(routes: Mapping[str, HostRoutes]) -> list[CustomRule]:
    """Return what is refused (403): claimed identities, paths written in two ways, and routes that nobody may use."""
    named = [
        CustomRule(
            name=f"headers{number}", conditions=(Condition(variable="RequestHeaders", selectors=few, operator="Any"),)
        )
        for number, few in enumerate(_few((*IDENTITY_HEADERS, *ROUTING_HEADERS)), 1)
    ]
    plain = Condition(variable="RequestUri", values=tuple(NOT_PLAIN.split("|^")[:1]), transforms=("Lowercase",))
    encoded = Condition(variable="RequestUri", values=(f"^{NOT_PLAIN.split('|^')[1]}",), transforms=("Lowercase",))
    paths = [CustomRule(name="segments", conditions=(plain,)), CustomRule(name="encoded", conditions=(encoded,))]
    return [*named, *paths, *(rule for host, answered in routes.items() for rule in _of_host(host, answered))]


def _few(headers: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    for first in range(0, len(headers), HEADERS_PER_RULE):
        yield headers[first : first + HEADERS_PER_RULE]


def _of_host(name: str, routes: HostRoutes) -> Iterator[CustomRule]:
    literally = name.replace(".", r"\.")
    host = Condition(
        variable="RequestHeaders",
        selectors=("Host",),
        values=(rf"^{literally}(:[0-9]+)?$",),
        transforms=("Lowercase",),
    )
    label = name.partition(".")[0]
    methods = [method for method in routes.methods if method != WEBSOCKET]
    sockets = _paths(routes, WEBSOCKET)
    yield CustomRule(name=f"{label}methods", conditions=(host, _method(("GET", *methods), negated=True)))
    yield CustomRule(
        name=f"{label}upgrade",
        conditions=(
            host,
            Condition(variable="RequestHeaders", selectors=("Upgrade",), operator="Any"),
            *_beside(sockets),
        ),
    )
    for number, refused in enumerate((entry for entry in routes.refused if entry.paths), 1):
        asked = tuple(method for method in refused.methods if method != WEBSOCKET)
        if asked:
            yield CustomRule(name=f"{label}refused{number}", conditions=(host, _method(asked), _path(refused.paths)))
    for method in dict.fromkeys(("GET", *methods)):
        answered = _paths(routes, method)
        if method in READ:
            answered = (*answered, *sockets, CHALLENGES)
        pages = [_path(below(routes.pages.reserved))] if routes.pages and method in READ else []
        yield CustomRule(
            name=f"{label}{method.lower()}",
            conditions=(host, _method((method,)), *pages, *_beside(answered)),
        )


def _paths(routes: HostRoutes, method: str) -> tuple[str, ...]:
    """Return the paths that the method may have: of an entry with a table those of the table, as NGINX answers them."""
    return tuple(path for entry in routes.allowed for path in entry.by_method(method))


def _method(methods: tuple[str, ...], *, negated: bool = False) -> Condition:
    return Condition(variable="RequestMethod", operator="Equal", values=tuple(dict.fromkeys(methods)), negated=negated)


def _path(paths: tuple[str, ...]) -> Condition:
    """Return what names paths that are refused, in whatever way they are encoded."""
    return Condition(variable="RequestUri", values=tuple(_values(paths)), transforms=("UrlDecode",))


def _beside(paths: tuple[str, ...]) -> Iterator[Condition]:
    """Yield what holds for every path beside these, which are taken as they were sent."""
    values = tuple(_values(paths))
    for first in range(0, len(values), MOST_VALUES):
        few = values[first : first + MOST_VALUES]
        yield Condition(variable="RequestUri", values=few, negated=True)


def _values(paths: tuple[str, ...]) -> Iterator[str]:
    for few in _packed(paths):
        yield f"{_START}({'|'.join(few)}){_END}"


def _packed(paths: tuple[str, ...]) -> Iterator[list[str]]:
    few: list[str] = []
    for part in expressions(dict.fromkeys(paths), MOST_CHARACTERS):
        if few and sum(map(len, few)) + len(few) + len(part) > MOST_CHARACTERS:
            yield few
            few = []
        few.append(part)
    yield few
