"""The login before the start page, run on this machine: the real oauth2-proxy with the deployed options."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from stacks.platform.components.start import login
from stacks.platform.components.start.names import HOST
from stacks.settings import Settings
from tests.support.ingress.nginx import free_port
from tests.support.login.entra_server import Entra, running_entra
from tests.support.opik.login import wait_for
from tests.support.web_servers import QuietHandler, port_of, served

PROXY = shutil.which("oauth2-proxy")
CLIENT, GROUP, TENANT = "client", "group", "tenant"
ISSUER = f"https://login.microsoftonline.com/{TENANT}/v2.0"


@dataclass
class Front:
    """The proxy, with what is before and behind it."""

    port: int
    host: str
    entra: Entra
    seen: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    """Path and headers of what reached the page."""


@contextmanager
def running_login(settings: Settings, folder: Path, *, upstream: int | None = None) -> Iterator[Front]:
    """Run the proxy between an Entra and a page, the one at the port `upstream` or one that notes what it gets.

    Only addresses differ from what is deployed.
    """
    port = free_port()
    with running_entra(folder, ISSUER) as entra:
        front = Front(port, HOST.name(settings.domain), entra)

        class Page(QuietHandler):
            def do_GET(self) -> None:
                front.seen.append((self.path, dict(self.headers)))
                self.answer(200, b"page")

        with served(Page) as address, (folder / "log").open("w") as log:
            file = login.configuration(settings.operators, client_id=CLIENT, group_id=GROUP, tenant_id=TENANT)
            (provider,), (behind,) = file["providers"], file["upstreamConfig"]["upstreams"]
            provider |= entra.addresses() | {"oidcConfig": provider["oidcConfig"] | entra.without_discovery()}
            assert behind["uri"] == login.UPSTREAM
            behind["uri"] = f"http://127.0.0.1:{upstream or port_of(address)}/"
            (folder / "login.yml").write_text(json.dumps({**file, "server": {"BindAddress": f"127.0.0.1:{port}"}}))
            (folder / "token").write_text("token of the pod's account")
            variables = {
                "OAUTH2_PROXY_COOKIE_SECRET": "0123456789abcdef0123456789abcdef",
                "AZURE_FEDERATED_TOKEN_FILE": str(folder / "token"),
                "PATH": os.environ["PATH"],
            }
            options = [
                "--trusted-proxy-ip=127.0.0.1" if option.startswith("--trusted-proxy-ip=") else option
                for option in login.options(settings)
            ]
            command = [str(PROXY), f"--alpha-config={folder / 'login.yml'}", *options]
            process = subprocess.Popen(command, env=variables, stdout=log, stderr=log)
            try:
                wait_for(port, process, folder / "log")
                yield front
            finally:
                process.terminate()
                process.wait()
