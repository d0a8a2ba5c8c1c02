"""The API through Tailscale: the operator's proxy in the cluster, by the name that this machine's tailnet gives it."""

import json
import subprocess
from collections.abc import Callable
from typing import Any

from scripts.core.errors import ExitCode, OperatorError

_TIMEOUT_S = 30
ELSEWHERE = (
    "the proxy runs in the cluster: before the first deployment, and while the cluster is stopped or broken, use"
    " LLMCTL_CLUSTER_ACCESS=direct from inside the network, or LLMCTL_CLUSTER_ACCESS=jump-host"
)


def _status() -> dict[str, Any]:
    """Return what `tailscale status --json` prints. Raises OperatorError (NOT_READY)."""
    try:
        done = subprocess.run(
            ["tailscale", "status", "--json"],  # noqa: S607 - the user's own
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_S,
            check=False,
        )
        found = json.loads(done.stdout)
    except (OSError, subprocess.TimeoutExpired):
        raise OperatorError(
            "`tailscale` does not answer on this machine",
            "install Tailscale and `tailscale up`; https://tailscale.com/docs/install",
            ExitCode.NOT_READY,
        ) from None
    except ValueError:
        said = (done.stderr.strip() or "no message").splitlines()[-1]
        raise OperatorError(f"tailscale status failed: {said}", "`tailscale up`", ExitCode.NOT_READY) from None
    return dict(found)


def proxy_url(name: str, status: Callable[[], dict[str, Any]] = _status) -> str:
    """Return the address of the operator's proxy, whose name in the tailnet is `name`.

    A proxy that came after another one of its name has a number behind its DNS name. Raises OperatorError (NOT_READY).
    """
    found = status()
    if (state := found.get("BackendState")) != "Running":
        raise OperatorError(f"this machine is not in the tailnet: {state}", "`tailscale up`", ExitCode.NOT_READY)
    peers = [peer for peer in (found.get("Peer") or {}).values() if peer.get("HostName") == name]
    if not peers:
        raise OperatorError(
            f"the tailnet shows no machine {name} to this one",
            f"let the tailnet's policy grant you its port 443; {ELSEWHERE}",
            ExitCode.NOT_READY,
        )
    online = [peer for peer in peers if peer.get("Online")]
    if not online:
        raise OperatorError(f"{name} is offline in the tailnet", ELSEWHERE, ExitCode.NOT_READY)
    return f"https://{online[0]['DNSName'].rstrip('.')}"
