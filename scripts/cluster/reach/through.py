"""The one place where commands get to a cluster: kubectl, the Python client and Terraform's providers alike."""

import atexit
import json
import os
import shutil
import tempfile
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from scripts.cluster.api import ClusterApi
from scripts.cluster.client import connect
from scripts.cluster.kubectl import Kubectl
from scripts.cluster.kubectl import connect as by_own_configuration
from scripts.core.console import err
from scripts.core.errors import ExitCode, OperatorError
from stacks.platform.components.tailscale.release import URL_VARIABLE
from stacks.settings.azure import ClusterAccess

from . import command_invoke, tailnet
from .choice import VARIABLE, Choice
from .jump_host import JumpHost
from .jump_host import connected as over


@dataclass(frozen=True, kw_only=True)
class Ways:
    """What the ways are made of; tests hand over others."""

    jump_host: Callable[[str], JumpHost] = over
    proxy_url: Callable[[str], str] = tailnet.proxy_url
    invoke: Callable[..., command_invoke.CommandInvoke] = command_invoke.CommandInvoke
    own: Callable[[str, str, str], Kubectl] = by_own_configuration
    say: Callable[[str], object] = field(default=lambda line: err.print(line, markup=False, highlight=False))


WAYS = Ways()


def kubectl_through(choice: Choice, aks: Mapping[str, Any], ways: Ways = WAYS) -> Kubectl:
    """Return kubectl for the cluster that the outputs of the stack `aks` name, by the chosen way, and say which it is.

    Raises OperatorError where the way cannot be had.
    """
    url, group, cluster = aks["api_url"], aks["resource_group_name"], aks["cluster_name"]
    if choice.way is ClusterAccess.COMMAND_INVOKE:
        _tell(ways, f"through {command_invoke.NAME}, one short command at a time")
        return Kubectl(cluster, invoke=ways.invoke(choice.subscription, group, cluster))
    own = ways.own(url, group, cluster)
    if choice.way is ClusterAccess.JUMP_HOST:
        port = ways.jump_host(choice.jump_host).port_to(url)
        _tell(ways, f"through the jump host {choice.jump_host}, by ssh")
        return _aimed(own, f"https://127.0.0.1:{port}", name=urlsplit(url).hostname or "")
    if choice.way is ClusterAccess.TAILSCALE:
        proxy = ways.proxy_url(choice.proxy)
        _tell(ways, f"through Tailscale, at {proxy}")
        return _aimed(own, proxy)
    return own


def api_of(kubectl: Kubectl) -> ClusterApi:
    """Return the API of the cluster that kubectl reaches, by the same way. Raises ClusterError."""
    if kubectl.invoke:
        return ClusterApi(command_invoke.Requests(kubectl.invoke))
    return connect(kubectl.context, configuration=kubectl.configuration or None)


def provider_variables(choice: Choice, ways: Ways = WAYS) -> dict[str, str]:
    """Return the variables by which Terraform's providers `kubernetes` and `helm` take the chosen way.

    Both read KUBE_PROXY_URL (terraform-provider-kubernetes `provider.go`, terraform-provider-helm `provider.go`).
    Raises OperatorError where the way cannot be had, REFUSED where it cannot carry a deployment.
    """
    if choice.way is ClusterAccess.COMMAND_INVOKE:
        raise command_invoke.refused("Terraform")
    if choice.way is ClusterAccess.JUMP_HOST:
        port = ways.jump_host(choice.jump_host).socks()
        _tell(ways, f"through the jump host {choice.jump_host}, by ssh")
        return {"KUBE_PROXY_URL": f"socks5://127.0.0.1:{port}"}
    if choice.way is ClusterAccess.TAILSCALE:
        proxy = ways.proxy_url(choice.proxy)
        _tell(ways, f"through Tailscale, at {proxy}")
        return {f"TF_VAR_{URL_VARIABLE}": proxy}
    return {}


def _aimed(own: Kubectl, server: str, *, name: str = "") -> Kubectl:
    """Return kubectl with the user's own login at another address; `name` is the one in the API's certificate.

    Without it the address has a certificate that machines trust anyway.
    """
    said = own.run("config", "view", "--raw", "--flatten", "--minify", "-o", "json")
    try:
        configuration = json.loads(said)
        named = {entry["name"]: entry for entry in configuration["contexts"]}
        wanted = named[own.context]["context"]
        (cluster,) = (entry for entry in configuration["clusters"] if entry["name"] == wanted["cluster"])
        users = [entry for entry in configuration["users"] if entry["name"] == wanted["user"]]
    except (ValueError, KeyError, TypeError):
        raise OperatorError("kubectl's configuration cannot be read", code=ExitCode.NOT_READY) from None
    aimed = {"server": server, "tls-server-name": name} if name else {"server": server}
    if name and (authority := cluster["cluster"].get("certificate-authority-data")):
        aimed["certificate-authority-data"] = authority
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": wanted["cluster"], "cluster": aimed}],
        "contexts": [{"name": own.context, "context": wanted}],
        "users": users,
        "current-context": own.context,
    }
    return Kubectl(own.context, configuration=str(_kept(json.dumps(content))))


def _kept(configuration: str) -> Path:
    """Write a configuration for as long as this program runs, for its user alone."""
    folder = Path(tempfile.mkdtemp(prefix="llmctl-"))
    atexit.register(partial(shutil.rmtree, folder, ignore_errors=True))
    file = folder / "kubeconfig"
    file.touch(mode=0o600)
    file.write_text(configuration, "utf-8")
    return file


_told: set[str] = set()
_lock = threading.Lock()


def _tell(ways: Ways, way: str) -> None:
    with _lock:
        if way in _told and ways is WAYS:
            return
        _told.add(way)
    said = f" ({VARIABLE})" if os.environ.get(VARIABLE) else ""
    ways.say(f"Kubernetes API: {way}{said}")
