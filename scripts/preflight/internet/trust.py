"""Whether the egress proxy answers, and how long the company's roots hold."""

import socket
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from stacks.settings.egress import expiry_notes

from ..findings import Finding, Outcome, warning
from ..surroundings import Surroundings

TIMEOUT_S = 5.0


def look_at_roots(asked: Surroundings) -> Iterator[Finding]:
    """Yield roots that nobody believes any more, or will not soon."""
    now = datetime.now(UTC)
    for note in expiry_notes(asked.settings.trust.company_roots, now):
        yield Finding(
            note,
            "what it signed is refused by every node and pod from then on",
            "add the root that follows to trust.company_roots, and deploy: AKS replaces every node",
            Outcome.FAILED if "has expired" in note else Outcome.WARNING,
        )


def look_at_proxy(
    asked: Surroundings, *, connect: Callable[..., socket.socket] = socket.create_connection
) -> Iterator[Finding]:
    """Yield a proxy that does not answer; this machine may stand where it cannot be reached from."""
    proxy = asked.settings.network.egress_proxy
    if proxy is None:
        return
    try:
        connect((proxy.host, proxy.port), timeout=TIMEOUT_S).close()
    except OSError as error:
        yield warning(
            f"this machine does not reach the proxy {proxy.host}:{proxy.port}: {error}",
            why="nodes that do not reach it pull no image, and AKS gives the cluster up after half an hour",
            fix=f"ask from a machine in the virtual network: curl --proxy {proxy.url} --head https://mcr.microsoft.com/v2/",
        )
