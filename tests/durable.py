"""Synthesizes one durable stack from varied settings, for tests of what it contains."""

import json
from typing import Any

import cdktf

from stacks.base import EnvironmentStack
from stacks.settings import Settings, load_settings

Block = dict[str, Any]


def settings(environment: str = "dev", **changes: dict[str, object]) -> Settings:
    """Return an environment's settings with some keys of some sections changed."""
    values = load_settings(environment).model_dump()
    for section, keys in changes.items():
        values[section] |= keys
    return Settings.model_validate(values)


def synthesized(stack: type[EnvironmentStack], varied: Settings) -> Block:
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
