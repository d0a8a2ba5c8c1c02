"""Synthesizes the stacks network and aks from varied settings, for tests of what they contain."""

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

import cdktf

from stacks.aks import AksStack
from stacks.common.base import EnvironmentStack, Tier
from stacks.common.outputs import (
    AcrOutputs,
    AddressOutputs,
    DatabaseOutputs,
    DisksOutputs,
    IdentityOutputs,
    NetworkOutputs,
    PrivateNetworkOutputs,
)
from stacks.network import NetworkStack
from stacks.platform.components.enabled import enabled_components
from stacks.settings import Settings, load_settings

from .durable import Block, only

GATEWAY_MODE: dict[str, object] = {"mode": "application-gateway", "application_gateway": {"sku": "WAF_v2"}}
NAT_MODE: dict[str, object] = {"outbound": "nat-gateway"}

Changes = Mapping[str, object]


def settings(environment: str = "dev", /, **changes: Changes) -> Settings:
    """Return an environment's settings with some keys of some sections changed."""
    values = load_settings(environment).model_dump()
    for section, keys in changes.items():
        values[section] |= keys
    return Settings.model_validate(values)


def network_stack(environment: str = "dev", /, **changes: Changes) -> Block:
    """Return the parsed `cdk.tf.json` of the stack network."""
    return _network(environment) if not changes else network_of(settings(environment, **changes))


def aks_stack(environment: str = "dev", /, **changes: Changes) -> Block:
    """Return the parsed `cdk.tf.json` of the stack aks."""
    return _aks(environment) if not changes else aks_of(settings(environment, **changes))


def cluster_of(environment: str = "dev", **changes: Changes) -> Block:
    """Return the cluster in the stack aks."""
    return only(aks_stack(environment, **changes), "azurerm_kubernetes_cluster")


def named(stack: Block, kind: str, beginning: str) -> Block:
    """Return the one resource of the Terraform type `kind` whose name begins with `beginning`."""
    (found,) = [block for name, block in stack["resource"].get(kind, {}).items() if name.startswith(beginning)]
    resource: Block = found
    return resource


class _Producer(EnvironmentStack):
    """Stands for a stack that others read: its name, its tier, and the shape of its outputs."""

    has_resource_group = False

    def __init__(self, app: cdktf.App, varied: Settings, name: str, tier: Tier, shape: type) -> None:
        self.stack_name, self.tier = name, tier  # type: ignore[misc]
        super().__init__(app, varied)
        self.outputs: Any = object.__new__(shape)


def _durable(app: cdktf.App, varied: Settings) -> dict[str, _Producer]:
    shapes = {"disks": DisksOutputs, "acr": AcrOutputs, "database": DatabaseOutputs, "address": AddressOutputs}
    return {name: _Producer(app, varied, name, Tier.DURABLE, shape) for name, shape in shapes.items()}


def network_of(varied: Settings) -> Block:
    """Return the parsed `cdk.tf.json` of the stack network of these settings."""
    app = cdktf.Testing.app()
    return _parsed(NetworkStack(app, varied, routes=enabled_components(varied).routes(), **_durable(app, varied)))


def aks_of(varied: Settings) -> Block:
    """Return the parsed `cdk.tf.json` of the stack aks of these settings."""
    app = cdktf.Testing.app()
    shape = PrivateNetworkOutputs if varied.is_private else NetworkOutputs
    network = _Producer(app, varied, "network", Tier.DISPOSABLE, shape)
    identity = _Producer(app, varied, "identity", Tier.DURABLE, IdentityOutputs)
    return _parsed(
        AksStack(app, enabled_components(varied), network=network, identity=identity, **_durable(app, varied))
    )


@cache
def _network(environment: str) -> Block:
    return network_of(load_settings(environment))


@cache
def _aks(environment: str) -> Block:
    return aks_of(load_settings(environment))


def _parsed(stack: EnvironmentStack) -> Block:
    parsed: Block = json.loads(cdktf.Testing.synth(stack))
    return parsed
