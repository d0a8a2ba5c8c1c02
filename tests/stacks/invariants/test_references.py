"""Every stack stands by itself: providers, references, versions and tags of what it declares."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.stacks.resources import ENVIRONMENTS, Environment, resources_of
from tests.support.stacks.synthesis import STACKS

REFERENCE = re.compile(
    r"(?<![\w.$])((?:data\.|ephemeral\.)?(?:azurerm|azuread|kubernetes|helm|random|terraform)_[a-z0-9_]+\.[A-Za-z][\w-]*)"
)

pytestmark = pytest.mark.parametrize("name", ENVIRONMENTS)


def _texts(value: Any) -> Iterator[str]:
    """Yield the Terraform expressions in a value, and what `depends_on` lists name."""
    match value:
        case str():
            yield from re.findall(r"(?<!\$)\$\{.*", value, re.DOTALL)
        case list():
            for item in value:
                yield from _texts(item)
        case dict():
            yield from value.get("depends_on", [])
            for item in value.values():
                yield from _texts(item)


def test_every_stack_has_the_provider_of_each_of_its_resources(environment: Environment, name: str) -> None:
    for stack_name in STACKS:
        stack = environment(name).stacks[stack_name]
        kinds = {kind for section in ("resource", "data", "ephemeral") for kind in stack.get(section, {})}
        needed = {kind.partition("_")[0] for kind in kinds} - {"terraform"}
        assert needed <= stack.get("provider", {}).keys(), stack_name


def test_every_reference_is_to_something_in_the_same_stack(environment: Environment, name: str) -> None:
    # cdktf writes a reference to another stack's resource as if it were of this one (`EnvironmentStack.prepare_stack`).
    for stack_name in STACKS:
        stack = environment(name).stacks[stack_name]
        declared = {
            f"{prefix}{kind}.{resource}"
            for section, prefix in (("resource", ""), ("data", "data."), ("ephemeral", "ephemeral."))
            for kind, named in stack.get(section, {}).items()
            for resource in named
        }
        used = {reference for text in _texts(stack) for reference in REFERENCE.findall(text)}
        assert used <= declared, stack_name


@pytest.mark.parametrize("stack", STACKS)
def test_every_resource_group_and_data_resource_says_whose_it_is(
    environment: Environment, name: str, stack: str
) -> None:
    for _, address, body in resources_of(environment(name), stack):
        if "tags" in body and isinstance(body["tags"], dict):
            assert {"platform": "llm", "environment": name, "stack": stack}.items() <= body["tags"].items(), address


@pytest.mark.parametrize("stack", STACKS)
def test_terraform_version_allows_write_only_arguments(environment: Environment, name: str, stack: str) -> None:
    assert environment(name).stacks[stack]["terraform"]["required_version"] == ">= 1.11, < 2.0"


@pytest.mark.parametrize("stack", STACKS)
def test_providers_are_pinned_exactly(environment: Environment, name: str, stack: str) -> None:
    for provider in environment(name).stacks[stack]["terraform"].get("required_providers", {}).values():
        assert re.fullmatch(r"\d+\.\d+\.\d+", provider["version"])


def test_subscription_providers_are_named_not_guessed(environment: Environment, name: str) -> None:
    for stack in STACKS:
        for provider in environment(name).stacks[stack].get("provider", {}).get("azurerm", []):
            assert provider["resource_provider_registrations"] == "none"
