"""What F5 NGINX does besides its Ingress objects: redirects, allowed routes, and headers that it takes away.

The chart puts the texts into the controller's ConfigMap, and the controller into the configuration as they are: the
first into the block `http`, the others into each `server` and each `location`
(https://docs.nginx.com/nginx-ingress-controller/configuration/global-configuration/configmap-resource/#snippets-and-custom-templates).
"""

from collections.abc import Iterable, Iterator, Mapping

from stacks.common.request_headers import REFUSED_HEADERS
from stacks.common.routes import NOT_PLAIN, READ, HostRoutes, below, expression, expressions

_HTTP = r"""large_client_header_buffers 4 64k;
# Challenges alone are answered by plain HTTP: the path as NGINX routes it and the path as it was sent, which is what
# reaches an application, have to be the same.
map "$uri:$request_uri" $challenge {
  default 0;
  "~^(/\.well-known/acme-challenge/[A-Za-z0-9_-]+):\1$" 1;
}
map "$scheme:$challenge" $redirect_to_https {
  default 0;
  "http:0" 1;
}
# Web sockets are a method of their own; no other protocol is changed to.
map $http_upgrade $route_method {
  default UPGRADE;
  "" $request_method;
  "~*^websocket$" WEBSOCKET;
}
map $request_uri $plain {
  default 1;
  "~*NOT_PLAIN" 0;
}
map "$server_name:$route_method:$uri" $route {
  default 0;
ROUTES
}
map "$challenge:$plain:$route:$route_method" $refused {
  default 1;
  "~^0:1:1:" 0;
  "~^1:1:[01]:(GET|HEAD)$" 0;
}"""

MOST_CHARACTERS = 2000
"""Of one expression; NGINX reads no longer word than 4096."""

_SERVER = """if ($redirect_to_https) { return 301 https://$host$request_uri; }
if ($refused) { return 404; }"""


def snippets(routes: Mapping[str, HostRoutes]) -> dict[str, str]:
    """Return entries of the controller's ConfigMap; `routes` are those of each host, by its name in full."""
    lines = "\n".join(f"  {line}" for host, answered in routes.items() for line in _lines(host, answered))
    return {
        "http-snippets": _HTTP.replace("NOT_PLAIN", NOT_PLAIN).replace("ROUTES", lines),
        "server-snippets": _SERVER,
        "location-snippets": "\n".join(f'proxy_set_header {name} "";' for name in REFUSED_HEADERS),
    }


def _lines(host: str, routes: HostRoutes) -> Iterator[str]:
    """Yield the host's part of the map, of which NGINX takes the first that matches."""
    for refused in routes.refused:
        if refused.paths:
            yield _line(host, refused.methods, refused.paths, 0)
    for allowed in routes.allowed:
        for method, paths in allowed.listed:
            for few in _packed(expressions(paths, MOST_CHARACTERS)):
                yield _map_line(host, (method,), f"({'|'.join(few)})", 1)
        if not allowed.listed:
            yield _line(host, allowed.methods, allowed.paths, 1)
    if routes.pages:
        yield _line(host, READ, below(routes.pages.reserved), 0)
        yield _line(host, READ, ("/**",), 1)


def _packed(parts: Iterable[str]) -> Iterator[list[str]]:
    few: list[str] = []
    for part in parts:
        if few and sum(map(len, few)) + len(few) + len(part) > MOST_CHARACTERS:
            yield few
            few = []
        few.append(part)
    yield few


def _line(host: str, methods: tuple[str, ...], paths: tuple[str, ...], answer: int) -> str:
    return _map_line(host, methods, expression(paths), answer)


def _map_line(host: str, methods: tuple[str, ...], pattern: str, answer: int) -> str:
    name = host.replace(".", r"\.")
    # `\z`, since `$` also stands before a last line feed; `(?s)`, since a dot has to match one.
    return rf'"~(?s)^{name}:({"|".join(methods)}):{pattern}\z" {answer};'
