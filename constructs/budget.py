"""A monthly budget for some resource groups of a subscription."""

from collections.abc import Iterator, Sequence

from cdktf import Fn, TerraformResourceLifecycle
from cdktf_cdktf_provider_azurerm.consumption_budget_subscription import (
    ConsumptionBudgetSubscription,
    ConsumptionBudgetSubscriptionFilter,
    ConsumptionBudgetSubscriptionFilterDimension,
    ConsumptionBudgetSubscriptionNotification,
    ConsumptionBudgetSubscriptionTimePeriod,
)
from constructs import Construct

FIRST_OF_THIS_MONTH = "YYYY-MM-01'T'00:00:00'Z'"
"""A format of Terraform's `formatdate`."""


class Budget(ConsumptionBudgetSubscription):
    """A budget that begins in the month of its first deployment and tells people by mail and by action groups.

    Azure wants its start in the running month or later when it is made, and a new budget where that changes: so
    Terraform takes the day of the deployment, and no other plan looks at it again.
    https://learn.microsoft.com/rest/api/consumption/budgets/create-or-update
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        name: str,
        subscription_id: str,
        resource_groups: Sequence[str],
        amount: int,
        alert_at_percent: Sequence[int],
        alert_on_forecast: bool,
        email_addresses: Sequence[str],
        action_group_ids: Sequence[str],
    ) -> None:
        """Add the budget; costs of other resource groups do not count. At least one receiver has to be given."""

        def notifications() -> Iterator[ConsumptionBudgetSubscriptionNotification]:
            forecast = [("Forecasted", 100)] if alert_on_forecast else []
            for kind, percent in [*(("Actual", percent) for percent in sorted(alert_at_percent)), *forecast]:
                yield ConsumptionBudgetSubscriptionNotification(
                    operator="GreaterThanOrEqualTo",
                    threshold=percent,
                    threshold_type=kind,
                    contact_emails=list(email_addresses) or None,
                    contact_groups=list(action_group_ids) or None,
                )

        super().__init__(
            scope,
            id_,
            name=name,
            subscription_id=f"/subscriptions/{subscription_id}",
            amount=amount,
            time_grain="Monthly",
            time_period=ConsumptionBudgetSubscriptionTimePeriod(
                start_date=Fn.formatdate(FIRST_OF_THIS_MONTH, Fn.timestamp())
            ),
            filter=ConsumptionBudgetSubscriptionFilter(
                dimension=[
                    ConsumptionBudgetSubscriptionFilterDimension(
                        name="ResourceGroupName", operator="In", values=list(resource_groups)
                    )
                ]
            ),
            notification=list(notifications()),
            lifecycle=TerraformResourceLifecycle(ignore_changes=["time_period"]),
        )
