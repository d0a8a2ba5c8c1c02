"""What azurerm and azuread refuse beyond their schemas, one entry per reason.

``VALIDATE`` and ``PLAN`` entries were seen with the pinned providers. ``APPLY`` entries pass a plan and are refused by
the provider's create call or by Azure.
"""

from . import rules_cluster, rules_data, rules_network
from .rules import Rule

RULES: tuple[Rule, ...] = (*rules_cluster.RULES, *rules_data.RULES, *rules_network.RULES)
