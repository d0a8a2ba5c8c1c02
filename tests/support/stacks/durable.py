"""Synthesizes one durable stack from varied settings, for tests of what it contains."""

import json
from collections.abc import Callable
from typing import Any

import cdktf

from stacks.common.base import EnvironmentStack
from stacks.identity import IdentityStack
from stacks.platform.components.enabled import enabled_components
from stacks.settings import Settings

Block = dict[str, Any]

LEAST: dict[str, Any] = {
    "name": "dev",
    "azure": {"subscription_id": "00000000-0000-0000-0000-000000000000", "region": "westeurope"},
    "domain": "llm-dev.example.com",
    "ingress": {"mode": "nginx", "acme_email": "platform@example.com"},
}
"""What an environment file has to say; everything else is its default."""


def settings(**sections: dict[str, object]) -> Settings:
    """Return the settings of a file that says no more than it has to, and these keys of these sections."""
    return Settings.model_validate(LEAST | {name: LEAST.get(name, {}) | keys for name, keys in sections.items()})


def identity_stack(app: cdktf.App, varied: Settings) -> IdentityStack:
    """Return the stack `identity` as `main.py` makes it."""
    return IdentityStack(app, varied, redirect_uris=enabled_components(varied).redirect_uris())


def synthesized(stack: Callable[[cdktf.App, Settings], EnvironmentStack], varied: Settings) -> Block:
    """Return the parsed `cdk.tf.json` of one stack."""
    text: str = cdktf.Testing.synth(stack(cdktf.Testing.app(), varied))
    parsed: Block = json.loads(text)
    return parsed


def of_type(synthesized_stack: Block, kind: str) -> list[Block]:
    """Return the resources of the Terraform type `kind`."""
    return list(synthesized_stack.get("resource", {}).get(kind, {}).values())


def only(synthesized_stack: Block, kind: str) -> Block:
    """Return the one resource of the Terraform type `kind`."""
    (found,) = of_type(synthesized_stack, kind)
    return found
