"""Who is logged in, and whether the subscription takes deployments."""

from collections.abc import Iterator

from scripts.azure import operations
from scripts.azure.errors import DeniedError, MissingError, NoLoginError
from scripts.azure.shape import Shape
from stacks.settings.azure import HcpExecution
from stacks.settings.file.placeholders import placeholders

from ..findings import Finding, NotCheckedError, warning
from ..surroundings import Surroundings

_FREE = ("FreeTrial_", "AzureForStudents", "AzurePass_", "Sponsored_")
"""Beginnings of `quotaId` of offers without spot machines or GPUs
(https://learn.microsoft.com/azure/virtual-machines/spot-vms#limitations)."""
_SETTLE = "open it in https://portal.azure.com (Subscriptions) and settle what it asks for"
_STOPS = "every stack fails with its first request"


class Policies(Shape):
    """What an offer allows."""

    quota_id: str = ""
    spending_limit: str = "Off"


class Subscription(Shape):
    """The subscription as Azure Resource Manager sees it."""

    display_name: str = ""
    state: str = ""
    subscription_policies: Policies = Policies()


def look(asked: Surroundings) -> Iterator[Finding]:
    """Yield what is wrong with login and subscription. Raises AnswerError."""
    settings = asked.settings
    if any(finding.key == ("azure", "subscription_id") for finding in placeholders(settings)):
        yield Finding(
            f"azure.subscription_id in environments/{settings.name}.yaml is a placeholder",
            _STOPS,
            "write yours: az account show --query id --output tsv",
        )
        return
    try:
        found = asked.azure.ask(operations.SUBSCRIPTION, Subscription)
    except NoLoginError as error:
        if settings.state.hcp and settings.state.hcp.execution is HcpExecution.REMOTE:
            raise NotCheckedError(f"{error}; HCP Terraform's runs have a login of their own") from None
        yield Finding(str(error), _STOPS, error.fix)
        return
    except (MissingError, DeniedError):
        yield Finding(
            f"this login does not see the subscription {settings.azure.subscription_id}",
            _STOPS,
            "az login --tenant TENANT, or correct azure.subscription_id",
        )
        return
    if found.state in ("Warned", "PastDue"):
        yield warning(
            f"the subscription {found.display_name} is in the state {found.state}",
            why="Azure will disable it before long, and stop what runs in it",
            fix=_SETTLE,
        )
    elif found.state != "Enabled":
        yield Finding(
            f"the subscription {found.display_name} is in the state {found.state}",
            "Azure refuses to create or change anything in it",
            _SETTLE,
        )
    if found.subscription_policies.quota_id.startswith(_FREE):
        yield from _free(asked, found)


def _free(asked: Surroundings, found: Subscription) -> Iterator[Finding]:
    if asked.settings.cluster.gpu_pools:
        yield warning(
            f"the subscription is of the offer {found.subscription_policies.quota_id}",
            why="such an offer gets neither spot machines nor quota for GPUs, so that no model starts",
            fix="upgrade it to pay-as-you-go: https://portal.azure.com (Subscriptions, Upgrade)",
        )
