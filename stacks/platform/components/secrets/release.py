"""Chart values of External Secrets, and of the own chart that says what it copies, that only the stack knows."""

from collections.abc import Mapping
from typing import Any

from stacks.platform.common.catalogue import Image
from stacks.platform.common.external_secrets import templates, vault_names
from stacks.platform.components.enabled import EnabledComponents

from .names import VAULT_READER


def operator(images: Mapping[str, Image]) -> dict[str, Any]:
    """Values of the operator: one image for its three workloads."""
    image = {"image": images["external-secrets/operator"].values()}
    return {**image, "webhook": image, "certController": image}


def platform_secrets(
    components: EnabledComponents, *, vault_uri: str, tenant_id: str, versions: Mapping[str, int], database_host: str
) -> dict[str, Any]:
    """Values of the own chart that connects the vault and says which of its secrets go where."""
    secrets = components.external_secrets(database_host=database_host)
    return {
        "store": {
            "vaultUrl": vault_uri,
            "tenantId": tenant_id,
            "serviceAccount": {"namespace": VAULT_READER.namespace, "name": VAULT_READER.name},
        },
        "versions": versions,
        "userSecrets": list(components.user_secrets()),
        "deliveries": vault_names(secrets),
        "formats": templates(secrets),
    }
