"""What azurerm and azuread refuse beyond their schemas, one entry per reason.

``VALIDATE`` and ``PLAN`` entries were seen with the pinned providers. ``APPLY`` entries pass a plan and are refused by
the provider's create call or by Azure.
"""

from . import cluster, data, network, node_pools
from .checks import Rule

RULES: tuple[Rule, ...] = (*cluster.RULES, *node_pools.RULES, *data.RULES, *network.RULES)
