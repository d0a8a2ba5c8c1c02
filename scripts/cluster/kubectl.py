"""kubectl on the cluster of one environment, never on whichever the machine happens to point at."""

import json
import re
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from scripts.core.errors import ExitCode, OperatorError
from scripts.tools.bring import provide

from .reach.command_invoke import CommandInvoke, refused

_TIMEOUT_S = 120
KUBELOGIN = "kubelogin"
_FORWARDING = re.compile(r"Forwarding from (?:127\.0\.0\.1|\[::1\]):(\d+) -> \d+")


class KubectlError(OperatorError):
    """kubectl failed; the message ends with its own last line."""


@dataclass(frozen=True)
class Kubectl:
    """Runs kubectl with one context of the user's own configuration, or inside the cluster."""

    context: str
    configuration: str = field(default="", kw_only=True)
    """File with the context, instead of the user's own."""
    invoke: CommandInvoke | None = field(default=None, kw_only=True)
    """Runs every command inside the cluster; what streams or reads standard input is refused then."""

    def run(self, *arguments: str, timeout_s: float = _TIMEOUT_S, given: str | None = None) -> str:
        """Return what the command prints; `given` is its standard input. Raises KubectlError, or OperatorError."""
        if self.invoke:
            return self._invoked(self.invoke, arguments, given)
        try:
            done = subprocess.run(  # noqa: S603
                self.command(*arguments), capture_output=True, text=True, timeout=timeout_s, check=False, input=given
            )
        except FileNotFoundError:
            raise _missing() from None
        except subprocess.TimeoutExpired:
            raise KubectlError(
                f"kubectl {arguments[0]} gave no answer in {timeout_s:.0f} s",
                "check the network and VPN",
                ExitCode.NOT_READY,
            ) from None
        if done.returncode:
            raise _failure(arguments[0], done.stderr)
        return done.stdout

    def json(self, *arguments: str) -> dict[str, Any]:
        """Return what the command prints with `-o json`. Raises KubectlError."""
        text = self.run(*arguments, "-o", "json")
        try:
            found = json.loads(text)
        except ValueError:
            raise KubectlError(f"kubectl {arguments[0]} printed no JSON") from None
        return dict(found)

    def items(self, *arguments: str) -> list[dict[str, Any]]:
        """Return the objects of a list. Raises KubectlError."""
        return list(self.json("get", *arguments)["items"])

    def command(self, *arguments: str) -> list[str]:
        """Return the whole command line. Raises OperatorError (REFUSED) where commands run inside the cluster."""
        if self.invoke:
            raise refused(f"`kubectl {arguments[0]}` with this terminal")
        own = ["--kubeconfig", self.configuration] if self.configuration else []
        return ["kubectl", *own, "--context", self.context, *arguments]

    def _invoked(self, invoke: CommandInvoke, arguments: Sequence[str], given: str | None) -> str:
        if given is not None:
            raise refused(f"`kubectl {arguments[0]}` with data")
        status, said = invoke.kubectl(*arguments)
        if status:
            raise _failure(arguments[0], said)
        return said

    def follow(self, *arguments: str) -> "subprocess.Popen[str]":
        """Start a command that goes on until it is stopped; both of its streams can be read. Raises KubectlError."""
        try:
            return subprocess.Popen(  # noqa: S603
                self.command(*arguments),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                # Ctrl-C is this program's to handle.
                start_new_session=True,
            )
        except FileNotFoundError:
            raise _missing() from None

    @contextmanager
    def forwarded(self, namespace: str, service: str, port: int) -> Iterator[str]:
        """Within, the service answers at the URL given over, on this machine alone. Raises KubectlError."""
        with stopped_after(
            self.follow("port-forward", "--address", "127.0.0.1", "-n", namespace, f"svc/{service}", f":{port}")
        ) as process:
            yield f"http://127.0.0.1:{wait_for_port(process)}"


@contextmanager
def stopped_after(process: "subprocess.Popen[str]") -> "Iterator[subprocess.Popen[str]]":
    """End the process when the block ends, however it does."""
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout:
            process.stdout.close()


def wait_for_port(process: "subprocess.Popen[str]") -> int:
    """Return the local port that `kubectl port-forward` has opened. Raises KubectlError when it ends instead."""
    assert process.stdout is not None
    said = []
    for line in process.stdout:
        said.append(line)
        if match := _FORWARDING.search(line):
            # Whatever it says later must not fill the pipe.
            threading.Thread(target=process.stdout.read, daemon=True).start()
            return int(match[1])
    process.wait()
    raise _failure("port-forward", "".join(said))


def connect(api_url: str, resource_group: str, cluster: str) -> Kubectl:
    """Return kubectl for the cluster at `api_url`, by the context that the machine's configuration has for it.

    What the machine lacks of kubectl and the program that logs in is fetched. Raises OperatorError when that cannot be
    had or there is no such context.
    """
    provide("kubectl")
    done = subprocess.run(
        ["kubectl", "config", "view", "-o", "json"],  # noqa: S607 - the user's own kubectl
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_S,
        check=False,
    )
    if done.returncode:
        raise _failure("config view", done.stderr)
    configuration = json.loads(done.stdout)
    context = find_context(configuration, api_url)
    if context is None:
        raise OperatorError(
            f"kubectl knows no cluster at {api_url}",
            f"az aks get-credentials --resource-group {resource_group} --name {cluster} && kubelogin"
            " convert-kubeconfig -l azurecli",
            ExitCode.NOT_READY,
        )
    if login_program(configuration, context) == KUBELOGIN:
        provide(KUBELOGIN)
    return Kubectl(context)


def login_program(configuration: Mapping[str, Any], context: str) -> str:
    """Return the program that a kubeconfig asks for the login of a context; empty where it asks none."""
    named = {kind: {one["name"]: one for one in configuration.get(kind) or []} for kind in ("contexts", "users")}
    user = named["contexts"].get(context, {}).get("context", {}).get("user")
    return str(((named["users"].get(user, {}).get("user") or {}).get("exec") or {}).get("command") or "")


def find_context(configuration: dict[str, Any], api_url: str) -> str | None:
    """Return the context of a kubeconfig whose cluster answers at `api_url`; the current one where several do."""
    wanted = _address(api_url)
    servers = {item["name"]: item["cluster"].get("server", "") for item in configuration.get("clusters") or []}
    fitting = [
        item["name"]
        for item in configuration.get("contexts") or []
        if _address(servers.get(item["context"]["cluster"], "")) == wanted
    ]
    current = configuration.get("current-context")
    return current if current in fitting else next(iter(fitting), None)


def _address(url: str) -> tuple[str | None, int]:
    parts = urlsplit(url)
    return parts.hostname, parts.port or 443


def _missing() -> OperatorError:
    return OperatorError(
        "kubectl is not installed", "install kubectl and kubelogin: `az aks install-cli`", ExitCode.NOT_READY
    )


def known_failure(action: str, said: str) -> KubectlError | None:
    """Return the error for what kubectl itself says when it gets to no cluster or may not, with the way out."""
    last = (said.strip() or "no message").splitlines()[-1]
    return next(
        (
            KubectlError(f"kubectl {action} failed: {last}", fix, code)
            for sign, fix, code in _KNOWN
            if re.search(sign, said)
        ),
        None,
    )


def _failure(action: str, said: str) -> KubectlError:
    last = (said.strip() or "no message").splitlines()[-1]
    return known_failure(action, said) or KubectlError(f"kubectl {action} failed: {last}")


_KNOWN = (
    (r"Unauthorized|AADSTS|kubelogin", "log in with `az login`", ExitCode.NOT_READY),
    (
        r"Unable to connect to the server|dial tcp|no such host|i/o timeout|connection refused|TLS handshake timeout",
        "check the network and VPN, and whether the cluster is stopped (off-hours)",
        ExitCode.NOT_READY,
    ),
    (r"\(Forbidden\)|is forbidden", "docs/reference/permissions.md lists the roles of operators", ExitCode.FAILED),
)
"""What kubectl says, by a regular expression; the way out, and the exit code."""
