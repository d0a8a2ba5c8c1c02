"""Where Tailscale's operator passes the Kubernetes API on, as this machine's own tailscale tells it."""

from typing import Any

import pytest

from scripts.cluster.reach.tailnet import proxy_url
from scripts.core.errors import ExitCode, OperatorError


def _peer(host: str, name: str, *, online: bool = True) -> dict[str, Any]:
    return {"HostName": host, "DNSName": f"{name}.tail1234.ts.net.", "Online": online, "TailscaleIPs": ["100.64.0.9"]}


def _status(*peers: dict[str, Any], state: str = "Running") -> dict[str, Any]:
    return {"BackendState": state, "Peer": {f"nodekey:{index}": peer for index, peer in enumerate(peers)}}


def test_the_proxy_is_found_by_its_name_also_where_an_older_one_kept_it() -> None:
    found = _status(
        _peer("other", "other"),
        _peer("llm-dev-api", "llm-dev-api", online=False),
        _peer("llm-dev-api", "llm-dev-api-1"),
    )
    assert proxy_url("llm-dev-api", lambda: found) == "https://llm-dev-api-1.tail1234.ts.net"


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (_status(state="NeedsLogin"), "this machine is not in the tailnet: NeedsLogin"),
        ({"BackendState": "Running", "Peer": None}, "the tailnet shows no machine llm-dev-api to this one"),
        (_status(_peer("llm-dev-api", "llm-dev-api", online=False)), "llm-dev-api is offline in the tailnet"),
    ],
)
def test_without_the_proxy_it_says_what_is_missing(status: dict[str, Any], said: str) -> None:
    with pytest.raises(OperatorError, match=said) as refusal:
        proxy_url("llm-dev-api", lambda: status)
    assert refusal.value.code is ExitCode.NOT_READY
    assert refusal.value.fix
