"""What is promised of Azure's objects, compared with literals that were written down for it (tests/promises)."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.support.stacks.synthesis import STACKS, Synthesized

Environment = Callable[[str], Synthesized]
ENVIRONMENTS = ("dev", "prod")
FOLDER = Path(__file__).parents[1] / "promises"
UNIQUE = re.compile(r"_[0-9A-F]{8}$")
"""The hash that cdktf appends to a name."""


def table(name: str) -> Any:
    return YAML(typ="safe").load((FOLDER / f"{name}.yaml").read_text("utf-8"))


def cases() -> list[Any]:
    return [
        pytest.param(environment, entry, id=f"{environment}-{entry['promise']}")
        for entry in table("azure")
        for environment in entry.get("environments", ENVIRONMENTS)
    ]


def at(body: dict[str, Any], path: str) -> Any:
    """Return the argument at a dotted path, a single block being as good as a list of one; None when it is not set."""
    found: Any = body
    for key in path.split("."):
        found = found[0] if isinstance(found, list) and len(found) == 1 else found
        found = found.get(key) if isinstance(found, dict) else None
    return found


@pytest.mark.parametrize(("name", "entry"), cases())
def test_promise_of_azure(environment: Environment, name: str, entry: dict[str, Any]) -> None:
    kind, _, resource = entry["resource"].partition(".")
    body = environment(name).resources(entry["stack"], kind)[resource]
    assert {path: at(body, path) for path in entry["is"]} == entry["is"]


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_every_role_assignment_is_one_that_was_written_down(environment: Environment, name: str) -> None:
    expected = {
        (entry["stack"], entry["name"], entry["role"], entry["scope"])
        for entry in table("roles")
        if name in entry.get("environments", ENVIRONMENTS)
    }
    found = {
        (stack, UNIQUE.sub("", resource), body["role_definition_name"], _last(body["scope"]))
        for stack in STACKS
        for resource, body in environment(name).resources(stack, "azurerm_role_assignment").items()
    }
    assert found == expected


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_entra_trusts_these_accounts_and_no_others(environment: Environment, name: str) -> None:
    found = {
        UNIQUE.sub("", resource).removesuffix("_credential"): (body["subject"], audience(body))
        for kind in ("azuread_application_federated_identity_credential", "azurerm_federated_identity_credential")
        for resource, body in environment(name).resources("aks", kind).items()
    }
    expected = table("federation")
    if name == "dev":
        # Nothing of staging is kept.
        del expected["certificate-keeper"]
    assert found == {account: (subject, ["api://AzureADTokenExchange"]) for account, subject in expected.items()}


def audience(body: dict[str, Any]) -> Any:
    return body.get("audience", body.get("audiences"))


def _last(expression: str) -> str:
    """Return the last part of the expression, or of the resource id, that names a scope."""
    return re.split(r"[./]", expression.removesuffix("}"))[-1]
