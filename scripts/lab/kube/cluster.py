"""Starts, stops and describes a control plane with simulated nodes, in a folder of its own."""

import json
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from scripts.core.errors import OperatorError
from stacks.settings import Settings

from . import arguments, processes
from .api import Api, Object
from .arguments import Files, Ports
from .nodes import nodes
from .programs import MODULE, Programs, Say

_STARTED_S = 120
CONTEXT = "llm-platform"


@dataclass(frozen=True)
class Status:
    """What runs, and where it answers."""

    running: bool
    url: str = ""
    kubeconfig: str = ""
    kubernetes: str = ""
    programs: dict[str, bool] | None = None
    """Program to whether it runs."""
    nodes_ready: int = 0
    nodes: int = 0
    pods: int = 0


class Cluster:
    """A control plane in `folder`; what it stores goes with `down`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self.files = Files(self.folder)
        self._state = self.folder / "state.json"

    def up(
        self,
        programs: Programs,
        settings: Settings,
        say: Say = lambda _text: None,
        *,
        lasting: bool = True,
        simulated: Sequence[Object] = (),
    ) -> Api:
        """Start what does not run, with the nodes of the environment's pools, and wait until they are ready.

        `simulated` are further objects of kwok's configuration, such as the logs of pods (https://kwok.sigs.k8s.io).
        Raises OperatorError when a program ends or does not answer; its log says why.
        """
        if self._running():
            return self.api()
        self.down()
        self.folder.mkdir(parents=True)
        ports = Ports(*processes.free_ports(len(Ports.__annotations__)))
        self._prepare(programs, ports, simulated)
        started: dict[str, int] = {}

        def begin(command: list[str], ready: Callable[[], bool]) -> None:
            name = Path(command[0]).name
            say(f"starting {name}")
            log = self.folder / f"{name}.log"
            process = processes.start(command, log, lasting=lasting)
            started[name] = process.pid
            self._state.write_text(json.dumps({"pids": started, "ports": asdict(ports)}), "utf-8")
            _wait(ready, lambda: process.poll() is not None, f"{name} does not start", log)

        services = str(settings.network.service_cidr)
        begin(arguments.etcd(programs, self.files, ports), lambda: _answers(ports.etcd))
        begin(arguments.api_server(programs, self.files, ports, services), self._answering)
        api = self.api()
        for node in nodes(settings.cluster, settings.azure):
            api.create(node)
        begin(arguments.controllers(programs, self.files, ports), lambda: _answers(ports.controllers))
        begin(arguments.scheduler(programs, self.files, ports), lambda: _answers(ports.scheduler))
        say("waiting for the nodes")
        begin(arguments.kwok(programs, self.files, ports), lambda: self._settled(api))
        return api

    def down(self) -> bool:
        """Stop everything in reverse order and remove the folder; tell whether anything ran."""
        pids = self._read().get("pids", {})
        ran = False
        for name, pid in reversed(pids.items()):
            ran = processes.runs(pid, name) or ran
            processes.stop(pid, name)
        shutil.rmtree(self.folder, ignore_errors=True)
        return ran

    def status(self) -> Status:
        """Describe what runs."""
        pids = self._read().get("pids", {})
        alive = {name: processes.runs(pid, name) for name, pid in pids.items()}
        if not self._running():
            return Status(running=False, programs=alive)
        return describe(self.api(), str(self.files.kubeconfig), alive)

    def api(self) -> Api:
        """Return requests to it as its administrator."""
        token = self.files.tokens.read_text("utf-8").partition(",")[0]
        port = self._read()["ports"]["api"]
        return Api(f"https://127.0.0.1:{port}", token=token, authority=str(self.files.authority))

    def _answering(self) -> bool:
        return self.files.authority.is_file() and self.api().ready()

    def _running(self) -> bool:
        pids = self._read().get("pids", {})
        return len(pids) == 5 and all(processes.runs(pid, name) for name, pid in pids.items()) and self._answering()

    def _read(self) -> dict[str, Any]:
        try:
            found: dict[str, Any] = json.loads(self._state.read_text("utf-8"))
        except (FileNotFoundError, ValueError):
            return {}
        return found

    @staticmethod
    def _settled(api: Api) -> bool:
        ready = [_is_ready(node) for node in api.list("v1", "Node")]
        # Pods are refused in a namespace until its account is there.
        accounts = {item["metadata"]["namespace"] for item in api.list("v1", "ServiceAccount")}
        return bool(ready) and all(ready) and {"default", "kube-system"} <= accounts

    def _prepare(self, programs: Programs, ports: Ports, simulated: Sequence[Object]) -> None:
        token = secrets.token_urlsafe(32)
        self.files.tokens.write_text(f"{token},{arguments.ADMINISTRATOR}\n", "utf-8")
        self.files.tokens.chmod(0o600)
        self.files.audit_policy.write_text(json.dumps(arguments.AUDIT_POLICY), "utf-8")
        key = ["openssl", "genrsa", "-out", str(self.files.account_key), "2048"]
        subprocess.run(key, check=True, capture_output=True)  # noqa: S603
        stages = [file.read_text("utf-8") for file in (*programs.stages, MODULE / "stages.yaml")]
        stages += [json.dumps(each) for each in simulated]
        self.files.stages.write_text("\n---\n".join(stages), "utf-8")
        configuration = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [
                {
                    "name": CONTEXT,
                    "cluster": {
                        "server": f"https://127.0.0.1:{ports.api}",
                        "certificate-authority": str(self.files.authority),
                    },
                }
            ],
            "users": [{"name": CONTEXT, "user": {"token": token}}],
            "contexts": [{"name": CONTEXT, "context": {"cluster": CONTEXT, "user": CONTEXT}}],
            "current-context": CONTEXT,
        }
        self.files.kubeconfig.write_text(json.dumps(configuration, indent=2), "utf-8")
        self.files.kubeconfig.chmod(0o600)


def describe(api: Api, kubeconfig: str, programs: dict[str, bool] | None = None) -> Status:
    """Describe a cluster that answers, whoever started it. Raises ApiError, OSError."""
    found = api.list("v1", "Node")
    return Status(
        running=True,
        url=api.url,
        kubeconfig=kubeconfig,
        kubernetes=str(api.request("GET", "/version")["gitVersion"]),
        programs=programs,
        nodes_ready=sum(map(_is_ready, found)),
        nodes=len(found),
        pods=len(api.list("v1", "Pod")),
    )


def _is_ready(node: dict[str, Any]) -> bool:
    conditions = node.get("status", {}).get("conditions", [])
    return any(item["type"] == "Ready" and item["status"] == "True" for item in conditions)


def _answers(port: int) -> bool:
    with socket.socket() as found:
        return found.connect_ex(("127.0.0.1", port)) == 0


def _wait(ready: Callable[[], bool], ended: Callable[[], bool], fault: str, log: Path) -> None:
    until = time.monotonic() + _STARTED_S
    while not ready():
        if ended() or time.monotonic() > until:
            last = log.read_text("utf-8", errors="replace").strip().splitlines()[-1:]
            raise OperatorError(f"{fault}: {' '.join(last) or 'it says nothing'}", f"see {log}")
        time.sleep(0.1)
