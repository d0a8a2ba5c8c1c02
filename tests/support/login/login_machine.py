"""A bare machine to log in from, and an Entra token endpoint to log in to."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from tests.support.patience import PATIENCE_S
from tests.support.web_servers import QuietHandler, served

SCRIPT = Path(__file__).parents[3] / "constructs" / "cluster_token.sh"
TENANT = "11111111-2222-3333-4444-555555555555"
OIDC = "eyJoZWFkZXI.eyJib2R5.c2lnbmF0dXJl"
TOOLS = ("sh", "sed", "tr", "date", "cat", "env")


@dataclass
class Entra:
    """A token endpoint on this machine."""

    url: str = ""
    status: int = 200
    answer: dict[str, Any] = field(default_factory=lambda: {"access_token": "entra-token", "expires_in": 3599})
    requests: list[tuple[str, dict[str, str], dict[str, str]]] = field(default_factory=list)
    """Path, headers and form of every request."""
    methods: list[str] = field(default_factory=list)


@contextmanager
def running_entra() -> Iterator[Entra]:
    """Run a token endpoint; it answers requests for an OIDC token under `/oidc`."""
    state = Entra()

    class Handler(QuietHandler):
        def _serve(self) -> None:
            body = self.body().decode()
            form = {key: values[0] for key, values in parse_qs(body).items()}
            state.methods.append(self.command)
            state.requests.append((self.path, dict(self.headers), form))
            answer = {"value": OIDC, "oidcToken": OIDC} if self.path.startswith("/oidc") else state.answer
            status = 200 if self.path.startswith("/oidc") else state.status
            self.answer(status, json.dumps(answer, indent=2).encode())

        do_GET = do_POST = _serve

    with served(Handler) as address:
        state.url = f"http://{address}"
        yield state


class Machine:
    """A machine that has nothing but the script's tools, and what a test installs."""

    def __init__(self, folder: Path) -> None:
        self.bin = folder / "bin"
        self.bin.mkdir()
        self.calls = folder / "calls"
        self.variables: dict[str, str] = {}
        for tool in TOOLS:
            self.link(tool)

    def link(self, tool: str) -> None:
        path = shutil.which(tool)
        assert path, f"{tool} is needed to test the script"
        (self.bin / tool).symlink_to(path)

    def install(self, name: str, body: str) -> None:
        """Install an executable that records its arguments and then runs `body`."""
        program = self.bin / name
        program.write_text(f'#!/bin/sh\nprintf "%s\\n" "{name} $*" >>"{self.calls}"\n{body}\n')
        program.chmod(0o755)

    def install_curl(self) -> None:
        """Install the real curl, recording its arguments."""
        self.install("curl", f'exec {shutil.which("curl")} "$@"')

    def arguments(self) -> str:
        """Everything that was given to any program as an argument."""
        return self.calls.read_text() if self.calls.exists() else ""

    def run(self, shell: str = "sh") -> subprocess.CompletedProcess[str]:
        """Run the script the way the providers do."""
        return subprocess.run(
            [str(self.bin / shell), "-c", SCRIPT.read_text(), "cluster-token", TENANT],
            env={"PATH": str(self.bin)} | self.variables,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE_S,
        )
