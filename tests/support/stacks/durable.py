"""Synthesizes one durable stack from varied settings, for tests of what it contains."""

import json
from collections.abc import Callable
from functools import cache
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


Stack = Callable[[cdktf.App, Settings], EnvironmentStack]


def synthesized(stack: Stack, varied: Settings) -> Block:
    """Return the parsed `cdk.tf.json` of one stack; the same stack of the same settings is synthesized once."""
    parsed: Block = json.loads(_once(stack, varied.model_dump_json()))
    return parsed


def synthesized_anew(stack: Stack, varied: Settings) -> Block:
    """Return the parsed `cdk.tf.json` of one stack, which is synthesized for it."""
    parsed: Block = json.loads(_text(stack, varied))
    return parsed


@cache
def _once(stack: Stack, varied: str) -> str:
    return _text(stack, Settings.model_validate_json(varied))


def _text(stack: Stack, varied: Settings) -> str:
    text: str = cdktf.Testing.synth(stack(cdktf.Testing.app(), varied))
    return text


def of_type(synthesized_stack: Block, kind: str) -> list[Block]:
    """Return the resources of the Terraform type `kind`."""
    return list(synthesized_stack.get("resource", {}).get(kind, {}).values())


def only(synthesized_stack: Block, kind: str) -> Block:
    """Return the one resource of the Terraform type `kind`."""
    (found,) = of_type(synthesized_stack, kind)
    return found
