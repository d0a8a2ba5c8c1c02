"""Arguments of resources in the one group of a fake Azure."""

from typing import Any

from scripts.lab.rehearsal.fake_provider.azure.ids import SUBSCRIPTION

from .fake_providers import LOCATION

GROUP_ID = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/one"
IN_GROUP = {"location": LOCATION, "resource_group_name": "one"}
DISK: dict[str, Any] = {**IN_GROUP, "storage_account_type": "Premium_ZRS", "create_option": "Empty", "disk_size_gb": 32}
VAULT: dict[str, Any] = {**IN_GROUP, "name": "kv-one", "sku_name": "standard", "tenant_id": "t"}
POOL = {"name": "system", "vm_size": "Standard_D4s_v5"}
CLUSTER: dict[str, Any] = {**IN_GROUP, "name": "main", "dns_prefix": "main", "default_node_pool": POOL}
