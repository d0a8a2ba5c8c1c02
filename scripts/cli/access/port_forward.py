"""`llmctl port-forward`: a service of the cluster on this machine, past the login."""

import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from types import FrameType
from typing import Annotated

import typer

from scripts.cli.options import Environment
from scripts.cli.tools import tools_of
from scripts.cluster.kubectl import Kubectl, KubectlError, stopped_after, wait_for_port
from scripts.core.console import err
from scripts.core.errors import ExitCode, OperatorError
from scripts.core.targets import default_environment
from scripts.opik.cluster import FRONTEND, NAMESPACE

app = typer.Typer(add_completion=False, rich_markup_mode="rich")

MONITORING, GRAFANA = "monitoring", "grafana"
RETRY_S = 2.0
ATTEMPTS = 30
"""Attempts in a row that may fail before it gives up."""


@dataclass(frozen=True)
class Forward:
    """A service that can be forwarded."""

    namespace: str
    service: str
    port: int
    local: int
    """Local port unless another is asked for."""
    hints: tuple[str, ...]
    """What to do with it; `{environment}` and `{port}` are filled in."""


class Name(StrEnum):
    """Services that can be forwarded."""

    GATEWAY = "gateway"
    GRAFANA = "grafana"
    OPIK = "opik"


FORWARDS = {
    Name.GATEWAY: Forward(
        "gateway",
        "litellm",
        4000,
        4000,
        ("Models: OPENAI_BASE_URL=http://127.0.0.1:{port}/v1", "Administration: http://127.0.0.1:{port}/ui, as admin"),
    ),
    Name.GRAFANA: Forward(
        MONITORING,
        GRAFANA,
        80,
        3000,
        (
            "Log in as admin at http://127.0.0.1:{port}/login?disableAutoLogin",
            "Password: the vault's secret grafana-admin-password",
        ),
    ),
    Name.OPIK: Forward(
        NAMESPACE, *FRONTEND, FRONTEND[1], ('SDKs: eval "$(llmctl opik env {environment} --local {port})"',)
    ),
}


@app.command()
def port_forward(
    context: typer.Context,
    service: Annotated[Name, typer.Argument(help="Service to forward.")],
    environment: Environment = None,
    *,
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="Local port; left out: the service's own, 3000 for grafana.")
    ] = None,
) -> None:
    """Forward a service of the cluster to a local port, for development without the login.

    Listens on 127.0.0.1 alone, with your rights on the cluster. Reconnects when a pod is replaced; Ctrl-C ends it.
    For opik, `eval "$(llmctl opik env --local PORT)"` points SDKs at it.

    Examples: `llmctl port-forward grafana prod`, `llmctl port-forward opik dev --port 5173`
    """
    tools, name = tools_of(context), environment or default_environment()
    tools.load(name)
    forward = FORWARDS[service]
    local = port or forward.local

    def ready(found: int) -> None:
        err.print(f"{service} of {name}: http://127.0.0.1:{found}   (Ctrl-C ends)", markup=False)
        for hint in forward.hints:
            err.print(hint.format(environment=name, port=found), markup=False)

    signal.signal(signal.SIGTERM, _end)
    keep_forwarding(tools.kubectl_of(name), forward, local, ready)


def keep_forwarding(
    kubectl: Kubectl,
    forward: Forward,
    local: int,
    ready: Callable[[int], object],
    *,
    retry_s: float = RETRY_S,
    attempts: int = ATTEMPTS,
) -> None:
    """Forward `local` to the service until interrupted, over restarts of its pods; call `ready` each time it stands.

    Raises OperatorError when it cannot be had: at once if it never stood, after `attempts` in a row if it did.
    """
    stood = False
    failures = 0
    while True:
        try:
            _once(kubectl, forward, local, ready)
            stood, failures = True, 0
            err.print("The connection ended, trying again")
        except KubectlError as error:
            failures += 1
            if not stood or failures >= attempts:
                raise OperatorError(
                    error.message,
                    f"free port {local} or choose another with --port; llmctl opik health",
                    ExitCode.NOT_READY,
                ) from None
        time.sleep(retry_s)


def _once(kubectl: Kubectl, forward: Forward, local: int, ready: Callable[[int], object]) -> None:
    process = kubectl.follow(
        "port-forward", "--address", "127.0.0.1", "-n", forward.namespace,
        f"svc/{forward.service}", f"{local}:{forward.port}",
    )  # fmt: skip
    with stopped_after(process):
        ready(wait_for_port(process))
        process.wait()


def _end(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
