"""Settings of a small environment file, of which single keys differ."""

from typing import Any

from stacks.settings import Settings

SERVER = (
    "/subscriptions/4a5f0b9e-7c1d-4e52-9d38-0c6b1f2a7e90/resourceGroups/llm-dev-database"
    "/providers/Microsoft.DBforPostgreSQL/flexibleServers/llm-dev-pg"
)
KEY = (
    "/subscriptions/4a5f0b9e-7c1d-4e52-9d38-0c6b1f2a7e90/resourceGroups/keys"
    "/providers/Microsoft.Compute/diskEncryptionSets/disks"
)
LEAST: dict[str, Any] = {
    "name": "dev",
    "azure": {"subscription_id": "4a5f0b9e-7c1d-4e52-9d38-0c6b1f2a7e90", "region": "westeurope"},
    "domain": "llm.acme.io",
    "ingress": {"acme_email": "platform@acme.io"},
}


def written(**sections: Any) -> Settings:
    """Return the settings of a small file with these keys of these sections."""
    return Settings.model_validate(
        LEAST
        | {
            name: LEAST[name] | keys if name in LEAST and isinstance(keys, dict) else keys
            for name, keys in sections.items()
        }
    )
