"""The environment's budget: off by default, for everything that it costs, with somebody who is notified."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from stacks.acr import AcrStack
from stacks.settings import SettingsError, parse_settings
from tests.support.stacks.durable import only, settings, synthesized, synthesized_anew
from tests.support.stacks.synthesis import Synthesized

KIND = "azurerm_consumption_budget_subscription"
GROUPS = [
    "llm-dev-disks",
    "llm-dev-disks-snapshots",
    "llm-dev-disks-backup-sets",
    "llm-dev-disks-models",
    "llm-dev-acr",
    "llm-dev-database",
    "llm-dev-address",
    "llm-dev-network",
    "llm-dev-aks",
    "llm-dev-aks-nodes",
]
_OPS = "/subscriptions/4a5f0b9e-7c1d-4e52-9d38-0c6b1f2a7e90/resourceGroups/ops"
ACTION_GROUP = f"{_OPS}/providers/Microsoft.Insights/actionGroups/ops"


def test_no_budget_is_made_unless_an_amount_is_given() -> None:
    assert KIND not in synthesized(AcrStack, settings())["resource"]


def test_a_budget_counts_all_of_the_environment_and_tells_people_by_mail() -> None:
    budget = only(
        synthesized(AcrStack, settings(budget={"monthly_amount": 500, "email_addresses": ["it@acme.io"]})), KIND
    )
    assert (budget["name"], budget["amount"], budget["time_grain"]) == ("llm-dev-monthly", 500, "Monthly")
    assert budget["subscription_id"] == "/subscriptions/00000000-0000-0000-0000-000000000000"
    assert budget["filter"] == {"dimension": [{"name": "ResourceGroupName", "operator": "In", "values": GROUPS}]}
    told = [(one["threshold_type"], one["threshold"], one["contact_emails"]) for one in budget["notification"]]
    assert told == [
        ("Actual", 80, ["it@acme.io"]),
        ("Actual", 100, ["it@acme.io"]),
        ("Forecasted", 100, ["it@acme.io"]),
    ]
    assert not any("contact_groups" in one for one in budget["notification"])


def test_its_start_is_the_month_of_the_deployment_and_never_changes() -> None:
    varied = settings(budget={"monthly_amount": 500, "email_addresses": ["it@acme.io"]})
    budget = only(synthesized(AcrStack, varied), KIND)
    assert budget["time_period"] == {"start_date": "${formatdate(\"YYYY-MM-01'T'00:00:00'Z'\", timestamp())}"}
    assert budget["lifecycle"] == {"ignore_changes": ["time_period"]}
    assert synthesized_anew(AcrStack, varied) == synthesized_anew(AcrStack, varied)


def test_action_groups_are_told_and_the_shares_are_the_operators() -> None:
    given = {
        "monthly_amount": 9000,
        "alert_at_percent": [120, 50],
        "alert_on_forecast": False,
        "action_group_ids": [ACTION_GROUP],
    }
    budget = only(synthesized(AcrStack, settings(budget=given)), KIND)
    assert [(one["threshold"], one["contact_groups"]) for one in budget["notification"]] == [
        (50, [ACTION_GROUP]),
        (120, [ACTION_GROUP]),
    ]


def test_who_gets_alerts_gets_the_budgets_too_unless_others_are_named() -> None:
    monitoring: dict[str, object] = {"alerts": {"email_addresses": ["ops@acme.io"]}}
    budget = only(synthesized(AcrStack, settings(budget={"monthly_amount": 500}, monitoring=monitoring)), KIND)
    assert {address for one in budget["notification"] for address in one["contact_emails"]} == {"ops@acme.io"}


@pytest.mark.parametrize("name", ["dev", "prod"])
def test_no_resource_group_of_an_environment_is_left_out(environment: Callable[[str], Synthesized], name: str) -> None:
    made = [
        group["name"]
        for stack in environment(name).stacks.values()
        for group in stack.get("resource", {}).get("azurerm_resource_group", {}).values()
    ]
    assert made
    assert set(made) <= {group.replace("-dev-", f"-{name}-") for group in GROUPS}


@pytest.mark.parametrize(
    ("budget", "said"),
    [
        ({"monthly_amount": 500}, "write who is notified"),
        ({"monthly_amount": 0, "email_addresses": ["it@acme.io"]}, "must be ≥ 1"),
        ({"monthly_amount": 500, "email_addresses": ["nobody"]}, "an e-mail address"),
        ({"monthly_amount": 500, "action_group_ids": ["ops"]}, "the resource id of an action group"),
        ({"monthly_amount": 500, "alert_at_percent": [], "email_addresses": ["it@acme.io"]}, "at least 1"),
        ({"monthly_amount": 500, "alert_at_percent": [80, 80], "email_addresses": ["it@acme.io"]}, "lists 80 twice"),
    ],
)
def test_a_budget_that_azure_would_refuse_is_refused_first(budget: dict[str, Any], said: str) -> None:
    file = {
        "name": "dev",
        "azure": {"subscription_id": "4a5f0b9e-7c1d-4e52-9d38-0c6b1f2a7e90", "region": "westeurope"},
        "domain": "llm.acme.io",
        "ingress": {"acme_email": "platform@acme.io"},
        "budget": budget,
    }
    with pytest.raises(SettingsError, match=said):
        parse_settings(json.dumps(file), "dev")
