"""How the providers reach the cluster of a rehearsal in AKS's place."""

import base64
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from scripts.core.errors import ExitCode, OperatorError

_API_VERSION = "client.authentication.k8s.io/v1"


@dataclass(frozen=True)
class Connection:
    """Address of an API server, the certificates it is trusted by, and the command that logs in."""

    host: str
    authority: str
    """PEM; empty where the machine's own roots are meant."""
    login: dict[str, Any]
    """A credential plugin in the words of Terraform: `api_version`, `command`, `args`, `env`."""

    def arguments(self) -> dict[str, Any]:
        """Return the arguments of the providers kubernetes and helm."""
        return {"host": self.host, "cluster_ca_certificate": self.authority or None, "exec": self.login}


def connection(kubeconfig: Path, folder: Path) -> Connection:
    """Return how the current context of `kubeconfig` is reached; a fixed credential is kept in `folder`.

    The synthesized providers log in by a command, and Terraform can replace such a block but not remove it: a token or
    a client's certificate is therefore handed over as the answer of a command, too. Raises OperatorError for a file
    that cannot be read, lacks something, or logs in by password.
    """
    try:
        document = YAML(typ="safe").load(kubeconfig.read_text(encoding="utf-8"))
        context = _named(document, "contexts", document["current-context"])["context"]
        cluster = _named(document, "clusters", context["cluster"])["cluster"]
        user = _named(document, "users", context["user"])["user"]
        host = cluster["server"]
    except (OSError, YAMLError, KeyError, TypeError, StopIteration) as error:
        raise OperatorError(
            f"{kubeconfig} names no cluster and user to connect with ({type(error).__name__}: {error})",
            "set its current context, or unset KUBECONFIG",
            ExitCode.NOT_READY,
        ) from None
    authority = _material(cluster, "certificate-authority", kubeconfig.parent)
    return Connection(host, authority, _login(user, kubeconfig, folder))


def _login(user: dict[str, Any], kubeconfig: Path, folder: Path) -> dict[str, Any]:
    if plugin := user.get("exec"):
        return {
            "api_version": plugin["apiVersion"],
            "command": plugin["command"],
            "args": list(plugin.get("args") or []),
            "env": {entry["name"]: entry["value"] for entry in plugin.get("env") or []},
        }
    status = {
        "token": user.get("token", ""),
        "clientCertificateData": _material(user, "client-certificate", kubeconfig.parent),
        "clientKeyData": _material(user, "client-key", kubeconfig.parent),
    }
    status = {key: value for key, value in status.items() if value}
    if not status:
        raise OperatorError(
            f"{kubeconfig} logs in neither by token nor by certificate nor by command",
            "use a context that does",
            ExitCode.NOT_READY,
        )
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "credential.json"
    file.touch(mode=0o600)
    file.write_text(json.dumps({"apiVersion": _API_VERSION, "kind": "ExecCredential", "status": status}), "utf-8")
    return {"api_version": _API_VERSION, "command": "cat", "args": [os.fspath(file.resolve())]}


def _named(document: dict[str, Any], kind: str, name: str) -> dict[str, Any]:
    return next(dict(entry) for entry in document[kind] if entry["name"] == name)


def _material(entry: dict[str, Any], key: str, folder: Path) -> str:
    """Return what `key` names, from the file or from the text beside it; empty where there is neither."""
    if data := entry.get(f"{key}-data"):
        return base64.b64decode(data).decode()
    if path := entry.get(key):
        return Path(folder, path).read_text(encoding="utf-8")
    return ""
