"""A monthly budget, and who is notified when the environment costs more."""

from typing import Annotated

from pydantic import Field

from .types import AZURE_NAME, EmailAddress, Model, Unique, text

ActionGroupId = Annotated[
    str,
    # Azure's own pages show this type in both spellings.
    text(
        rf"^/subscriptions/[0-9a-fA-F-]{{36}}/resource[Gg]roups/{AZURE_NAME}"
        rf"/providers/[Mm]icrosoft\.[Ii]nsights/action[Gg]roups/{AZURE_NAME}$",
        "the resource id of an action group:"
        " /subscriptions/…/resourceGroups/…/providers/Microsoft.Insights/actionGroups/…",
    ),
]


class BudgetSettings(Model):
    """A monthly budget, and who is notified when the environment costs more; none by default."""

    monthly_amount: Annotated[int, Field(ge=1, le=10_000_000)] | None = None
    """Cost a month, in the currency that the subscription is billed in, which Azure compares with what all resource
    groups of the environment cost; left out, there is no budget. Azure only notifies, and stops nothing."""
    alert_at_percent: Annotated[
        tuple[Annotated[int, Field(ge=1, le=1000)], ...], Unique, Field(min_length=1, max_length=4)
    ] = (80, 100)
    """Shares of the amount at which people are notified, each once a month."""
    alert_on_forecast: bool = True
    """Also tell when Azure expects that the month will end above the amount."""
    email_addresses: Annotated[tuple[EmailAddress, ...], Unique, Field(max_length=50)] = ()
    """Who gets mail; left empty, those of `monitoring.alerts.email_addresses`."""
    action_group_ids: Annotated[tuple[ActionGroupId, ...], Unique, Field(max_length=50)] = ()
    """Action groups of Azure that are notified as well, such as one that calls a webhook."""
