"""Starts one stand-in provider the way Terraform's plugin host expects, and ends it without leaving anything."""

from __future__ import annotations

import os
import secrets
import signal
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc

from scripts.rehearsal.cloud import FOLDER, Cloud
from scripts.rehearsal.standin.faults import Faults
from scripts.rehearsal.standin.provider import StandIn
from scripts.rehearsal.standin.rpc import Call, methods
from scripts.rehearsal.standin.served import Served
from scripts.rehearsal.standin.service import Service

SCHEMAS = "REHEARSAL_SCHEMAS"

_WORKERS = 16
_WATCH_SECONDS = 1.0
_MAGIC = ("TF_PLUGIN_MAGIC_COOKIE", "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2")


def _service(provider: str, cloud: Cloud) -> Service:
    if provider == "azurerm":
        from scripts.rehearsal.standin.azure_service import AzureService  # noqa: PLC0415 - one service per process

        return AzureService(cloud)
    if provider == "azuread":
        from scripts.rehearsal.standin.entra_service import EntraService  # noqa: PLC0415

        return EntraService(cloud)
    if provider == "random":
        from scripts.rehearsal.standin.random_service import RandomService  # noqa: PLC0415

        return RandomService(cloud)
    from scripts.rehearsal.standin.cluster_service import ClusterService  # noqa: PLC0415

    return ClusterService(cloud)


class _Handlers(grpc.GenericRpcHandler):
    def __init__(self, calls: dict[str, Call], stopped: threading.Event, ended: threading.Event) -> None:
        self._methods = {f"/tfplugin6.Provider/{name}": self._unary(call) for name, call in calls.items()}
        stop = calls["StopProvider"]
        self._methods["/tfplugin6.Provider/StopProvider"] = self._unary(
            lambda request: (stopped.set(), stop(request))[1]
        )
        self._methods["/plugin.GRPCController/Shutdown"] = self._unary(lambda _request: (ended.set(), b"")[1])

    def _unary(self, call: Call) -> Any:
        return grpc.unary_unary_rpc_method_handler(lambda request, _context: call(request))

    def service(self, handler_call_details: Any) -> Any:
        return self._methods.get(handler_call_details.method)


def serve(provider: str) -> None:
    """Serve one provider until Terraform ends it or goes away; does not return."""
    if os.environ.get(_MAGIC[0]) != _MAGIC[1]:
        sys.exit("This is a stand-in provider of the rehearsal: Terraform starts it, nobody else.")
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Terraform passes an interrupt on as StopProvider
    stopped, ended = threading.Event(), threading.Event()
    signal.signal(signal.SIGTERM, lambda *_args: ended.set())
    parent = os.getppid()
    working = Path.cwd()
    cloud = Cloud(Path(os.environ[FOLDER]))
    served = Served(Path(os.environ[SCHEMAS]) / f"{provider}.schemas")
    stand_in = StandIn(served, cloud, _service(provider, cloud), Faults(cloud, working.name, stopped), working)
    socket_folder = Path(os.environ.get("TMPDIR", "/tmp")) / f"tfp-{os.getpid()}-{secrets.token_hex(4)}"  # noqa: S108
    socket_folder.mkdir(mode=0o700)
    socket = socket_folder / "s"
    server = grpc.server(
        ThreadPoolExecutor(_WORKERS),
        handlers=[_Handlers(methods(stand_in), stopped, ended)],
        options=[("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)],
    )
    server.add_insecure_port(f"unix:{socket}")
    server.start()
    sys.stdout.write(f"1|6|unix|{socket}|grpc|\n")
    sys.stdout.flush()
    while not ended.wait(_WATCH_SECONDS) and os.getppid() == parent:
        pass
    stopped.set()
    server.stop(0.2).wait(1)
    socket.unlink(missing_ok=True)
    socket_folder.rmdir()
    os._exit(0)
