"""A real ACME server, and cert-manager's controllers beside a real Kubernetes API.

Pods do not run there, so that what answers an HTTP-01 challenge reads it from the arguments of cert-manager's own
challenge pod. cert-manager reaches it by a proxy, the ACME server by a name server that answers every name with this
machine.
"""

import json
import os
import re
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from scripts.lab.acme.programs import Programs, build
from scripts.lab.kube.api import Api
from scripts.lab.kube.processes import free_ports
from tests.support.web_servers import authority, certificate_for, serving

SOLVER = "acme.cert-manager.io/http01-solver"


@dataclass
class AcmeServer:
    """Pebble, which issues and counts, and the answer to its challenges."""

    directory: str
    """Its address, for an issuer."""
    authority: Path
    """Who vouches for its own HTTPS."""
    log: Path
    programs: Programs
    challenge_port: int
    cluster: Api | None = None
    """Whose challenge pods answer."""
    answers: threading.Event = field(default_factory=threading.Event)
    """Challenges are answered while it is set."""

    def orders(self) -> int:
        """Return how many certificates were ordered."""
        return len(re.findall(r"Added order ", self.log.read_text("utf-8")))

    def accounts(self) -> int:
        """Return how many accounts were made."""
        return len(re.findall(r"There are now \d+ accounts in memory", self.log.read_text("utf-8")))

    def reply(self, _host: str, path: str) -> tuple[int, dict[str, str], bytes]:
        """Answer a challenge as the challenge pod of the cluster would."""
        token = urlsplit(path).path.rpartition("/")[2]
        pods = self.cluster.list("v1", "Pod") if self.cluster and self.answers.is_set() else []
        for pod in pods:
            if pod["metadata"].get("labels", {}).get(SOLVER) == "true":
                told = dict(text.lstrip("-").split("=", 1) for text in pod["spec"]["containers"][0]["args"])
                if told["token"] == token:
                    return 200, {}, told["key"].encode()
        return 404, {}, b""


@contextmanager
def acme_server(folder: Path) -> Iterator[AcmeServer]:
    """Run an ACME server that validates at once."""
    programs, found = build(), authority(folder, "acme")
    certificate_for(folder, found, "localhost")
    listen, management, names = free_ports(3)
    log = folder / "pebble.log"
    with ExitStack() as running:
        server = AcmeServer(f"https://localhost:{listen}/dir", found[0], log, programs, 0)
        server.challenge_port = running.enter_context(serving(server.reply))
        config = {
            "listenAddress": f"127.0.0.1:{listen}",
            "managementListenAddress": f"127.0.0.1:{management}",
            "certificate": str(folder / "localhost.pem"),
            "privateKey": str(folder / "localhost.key"),
            "httpPort": server.challenge_port,
            "tlsPort": 1,
            "profiles": {"default": {"description": "as Let's Encrypt's", "validityPeriod": 7776000}},
        }
        (folder / "pebble.json").write_text(json.dumps({"pebble": config}))
        quiet = ("-http01", "", "-https01", "", "-tlsalpn01", "", "-doh", "", "-management", "", "-defaultIPv6", "")
        started = (
            ([programs.name_server, "-dnsserver", f"127.0.0.1:{names}", *quiet], folder / "names.log"),
            ([programs.pebble, "-config", str(folder / "pebble.json"), "-dnsserver", f"127.0.0.1:{names}"], log),
        )
        for command, file in started:
            running.enter_context(program(command, file, PEBBLE_VA_NOSLEEP="1", PEBBLE_WFE_NONCEREJECT="0"))
        yield server


@contextmanager
def cert_manager(server: AcmeServer, api: Api, kubeconfig: Path, log: Path) -> Iterator[None]:
    """Run cert-manager's controllers in a cluster, whose challenge pods answer while they do."""
    server.cluster = api
    proxy = f"http://127.0.0.1:{server.challenge_port}"
    command = [server.programs.cert_manager, "--kubeconfig", str(kubeconfig)]
    try:
        with program(
            command, log, SSL_CERT_FILE=str(server.authority), HTTP_PROXY=proxy, NO_PROXY="127.0.0.1,localhost"
        ):
            yield
    finally:
        server.cluster = None


@contextmanager
def program(command: list[str], log: Path, **environment: str) -> Iterator[None]:
    """Run a program; its output goes to `log`."""
    with log.open("ab") as file:
        process = subprocess.Popen(command, stdout=file, stderr=file, env=os.environ | environment)
    try:
        yield
    finally:
        process.terminate()
        process.wait()
