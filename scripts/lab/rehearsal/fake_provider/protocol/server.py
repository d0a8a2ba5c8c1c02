"""Starts one fake provider the way Terraform's plugin host expects, and ends it without leaving anything."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import grpc

from scripts.lab.rehearsal.cloud import FOLDER, Cloud
from scripts.lab.rehearsal.schemas import pinned

from ..faults import Faults
from ..provider import FakeProvider
from ..service import Service
from .configuration import Configuration
from .rpc import Call, methods
from .served import Served

_WORKERS = 16
_WATCH_SECONDS = 1.0
_GRACE_SECONDS = 0.2
_MAGIC = ("TF_PLUGIN_MAGIC_COOKIE", "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2")


def service_of(provider: str, cloud: Cloud) -> Service:
    """Return the fake service behind a provider."""
    if provider == "azurerm":
        from ..azure.service import AzureService  # noqa: PLC0415 - one service per process

        return AzureService(cloud)
    if provider == "azuread":
        from ..entra_service import EntraService  # noqa: PLC0415 - as above

        return EntraService(cloud)
    if provider == "random":
        return Service(cloud)  # only ephemeral passwords are in use: `secret_store.py`
    from ..cluster_service import ClusterService  # noqa: PLC0415 - as above

    return ClusterService(cloud)


class _Handlers(grpc.GenericRpcHandler):
    """Routes Terraform's calls; a stop or the shutdown of the plugin host sets an event."""

    def __init__(self, calls: dict[str, Call], stopped: threading.Event, ended: threading.Event) -> None:
        self._calls = {f"/tfplugin6.Provider/{name}": call for name, call in calls.items()}
        self._calls["/plugin.GRPCController/Shutdown"] = lambda _request: b""
        self._events = {"/tfplugin6.Provider/StopProvider": stopped, "/plugin.GRPCController/Shutdown": ended}

    def service(self, handler_call_details: Any) -> Any:
        """Return the handler of one method, None where there is none."""
        method = handler_call_details.method
        if method not in self._calls:
            return None

        def handle(request: bytes, _context: Any) -> bytes:
            if method in self._events:
                self._events[method].set()
            return self._calls[method](request)

        return grpc.unary_unary_rpc_method_handler(handle)


def _watch(connection: socket.socket, died: threading.Event, ended: threading.Event) -> None:
    with suppress(OSError):
        connection.recv(1)
    died.set()
    ended.set()


def serve(provider: str, connection: socket.socket | None = None, *, group: int = 0) -> None:
    """Serve one provider until Terraform ends it or goes away; does not return.

    In a forked process `connection` ends with what Terraform started, and `group` is Terraform's process group.
    """
    if os.environ.get(_MAGIC[0]) != _MAGIC[1]:
        sys.exit("This is a fake provider of the rehearsal: Terraform starts it, nobody else.")
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Terraform passes an interrupt on as StopProvider
    stopped, ended, died = threading.Event(), threading.Event(), threading.Event()
    signal.signal(signal.SIGTERM, lambda *_args: ended.set())
    parent = os.getppid()
    configuration = Configuration(Path.cwd())
    cloud = Cloud(Path(os.environ[FOLDER]))
    served = Served(pinned(), provider)
    faults = Faults(cloud, configuration.stack, stopped, group=group)
    fake = FakeProvider(served, cloud, service_of(provider, cloud), faults, configuration)
    socket_folder = Path(os.environ.get("TMPDIR", "/tmp")) / f"tfp-{os.getpid()}-{os.urandom(4).hex()}"  # noqa: S108
    socket_folder.mkdir(mode=0o700)
    path = socket_folder / "s"
    server = grpc.server(
        ThreadPoolExecutor(_WORKERS),
        handlers=[_Handlers(methods(fake), stopped, ended)],
        options=[("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)],
    )
    server.add_insecure_port(f"unix:{path}")
    server.start()
    sys.stdout.write(f"1|6|unix|{path}|grpc|\n")
    sys.stdout.flush()
    if connection:
        threading.Thread(target=_watch, args=(connection, died, ended), daemon=True).start()
    while not ended.wait(_WATCH_SECONDS) and (connection or os.getppid() == parent):
        pass
    # First what would be left behind: a process that takes too long to end is killed.
    path.unlink(missing_ok=True)
    socket_folder.rmdir()
    if died.is_set():
        os._exit(0)  # killed, as what Terraform started was
    stopped.set()
    server.stop(_GRACE_SECONDS).wait(2 * _GRACE_SECONDS)
    os._exit(0)  # gRPC's threads would hold up an ordinary exit
