"""Chart values of Tailscale's operator and of the subnet router that only the stack knows."""

from collections.abc import Mapping
from ipaddress import IPv4Address
from typing import Any

from stacks.platform.common.catalogue import Image
from stacks.settings import Settings
from stacks.settings.private_access import TailscaleCredentials, TailscaleSettings

URL_VARIABLE = "cluster_url"
"""Terraform variable of the stack `platform` for the address of that proxy; empty, its providers ask the API itself."""


def api_proxy(base: str) -> str:
    """Return the operator's name in the tailnet, where it passes the Kubernetes API on; `base` begins every name."""
    return f"{base}-api"


def operator(tailscale: TailscaleSettings, images: Mapping[str, Image], *, api_proxy_name: str = "") -> dict[str, Any]:
    """Values of the operator: images, tags, and how it logs in, unless by its Secret.

    By `api_proxy_name` the tailnet reaches the Kubernetes API, which asks for the caller's own login as ever: the proxy
    adds no rights (https://tailscale.com/docs/kubernetes-operator/api-server-access/noauth-mode).
    """
    values: dict[str, Any] = {
        "operatorConfig": {
            "image": images["tailscale-operator/operator"].values(),
            "defaultTags": [tailscale.operator_tag],
        },
        "proxyConfig": {
            "image": images["tailscale-operator/proxy"].values(),
            "defaultTags": ",".join(tailscale.router_tags),
        },
    }
    if tailscale.credentials is TailscaleCredentials.WORKLOAD_IDENTITY:
        values["oauth"] = {"clientId": tailscale.client_id, "audience": f"api.tailscale.com/{tailscale.client_id}"}
    if api_proxy_name:
        values["apiServerProxyConfig"] = {"mode": "noauth"}
        values["operatorConfig"]["hostname"] = api_proxy_name
    return values


def routes(ingress_address: IPv4Address, nameserver_address: IPv4Address | None) -> list[str]:
    """Return what the tailnet reaches: the ingress and the nameserver, each by itself."""
    addresses = dict.fromkeys(filter(None, (ingress_address, nameserver_address)))
    return [f"{address}/32" for address in addresses]


def router(settings: Settings, tailscale: TailscaleSettings) -> dict[str, Any]:
    """Values of the own chart with the subnet router."""
    name = settings.azure_names.base
    return {
        "name": name,
        "hostnamePrefix": name,
        "replicas": tailscale.replicas,
        "tags": list(tailscale.router_tags),
        "routes": routes(settings.ingress_address, settings.nameserver_address),
    }
