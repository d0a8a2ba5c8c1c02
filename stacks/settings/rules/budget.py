"""A budget tells somebody."""

from collections.abc import Iterator

from ..budget import BudgetSettings
from ..monitoring import MonitoringSettings
from .base import Finding


def somebody_is_told(budget: BudgetSettings, monitoring: MonitoringSettings) -> Iterator[Finding]:
    """Azure takes no notification without a receiver."""
    receivers = budget.email_addresses or budget.action_group_ids or monitoring.alerts.email_addresses
    if budget.monthly_amount is not None and not receivers:
        yield Finding(
            ("budget", "email_addresses"),
            "is empty, and so are budget.action_group_ids and monitoring.alerts.email_addresses;"
            " write who is notified, or leave budget.monthly_amount out",
        )


RULES = (somebody_is_told,)
