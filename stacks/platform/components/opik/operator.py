"""Chart values of the ClickHouse operator and of the guardrails service that only the stack knows.

Keys: https://github.com/Altinity/clickhouse-operator/tree/master/deploy/helm/clickhouse-operator.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

from stacks.platform.common.catalogue import Image
from stacks.platform.common.pods import on_pool
from stacks.settings import Settings
from stacks.settings.azure import AzureSettings

from . import secrets
from .names import GUARDRAILS, OPERATOR
from .release import RESTART_ANNOTATION


def operator(settings: Settings, images: Mapping[str, Image]) -> dict[str, Any]:
    """Values of the ClickHouse operator, which is a release of its own so that it outlives the installation."""
    return {
        "operator": {"image": {"registry": "", **images[f"{OPERATOR}/operator"].values()}},
        "crdHook": {"image": images[f"{OPERATOR}/crd-hook"].values()},
        # It reads its account as it starts.
        "podAnnotations": {RESTART_ANNOTATION: secrets.versions(settings.secrets.versions, OPERATOR)},
        # The password of accounts without one of their own. None is made, and this one is no secret.
        "configs": {
            "files": {
                "config.yaml": {
                    "clickhouse": {
                        "configuration": {
                            "user": {"default": {"password": _unused_password(settings.name, settings.azure)}}
                        },
                    }
                }
            }
        },
    }


def guardrails(images: Mapping[str, Image], pool: str) -> dict[str, Any]:
    """Values of the own chart that runs the guardrails service on the GPU pool `pool`."""
    return {
        "image": str(images[f"{GUARDRAILS}/service"]),
        "nodeSelector": on_pool(pool),
    }


def _unused_password(name: str, azure: AzureSettings) -> str:
    return hashlib.sha256(f"{azure.subscription_id}/{name}/unused".encode()).hexdigest()[:32]
