"""Chart values of Opik's five stores, and the fingerprints by which the backend knows that each runs with them."""

from collections.abc import Mapping
from typing import Any

from stacks.platform.common.catalogue import Image
from stacks.settings import Settings
from stacks.settings.data import DataDisk

from . import clickhouse, secrets, settling
from .names import ACCOUNT, OPERATOR
from .stores import CLAIMS
from .version import opik_version


def store_values(
    settings: Settings, images: Mapping[str, Image], fixed: Mapping[str, Any], fingerprints: Mapping[str, str]
) -> dict[str, dict[str, Any]]:
    """Values of the stores by their key, with their fingerprints; `fixed` is what the values files say."""
    stores = _stores(settings, images, fixed)
    for name, values in stores.items():
        _annotate(name, values, {settling.FINGERPRINT_ANNOTATION: fingerprints[name]})
    return stores


def store_fingerprints(settings: Settings, images: Mapping[str, Image], fixed: Mapping[str, Any]) -> dict[str, str]:
    """Return for each store a text that changes with its values, its image, its passwords and the chart's version.

    The version stands for the chart's own defaults. What concerns other stores or the components is not in it, so that
    a store is restarted for its own sake only. `fixed` is what the values files say.
    """
    version = opik_version(settings.opik)
    raised = settings.secrets.versions
    return {
        name: settling.fingerprint(version, _passwords(raised, name), fixed.get(name), values)
        for name, values in _stores(settings, images, fixed).items()
    }


def _passwords(raised: Mapping[str, int], name: str) -> str:
    # The operator puts its own account among ClickHouse's users.
    sources = (secrets.STORES, OPERATOR) if name == "clickhouse" else (secrets.STORES,)
    return secrets.versions(raised, *sources)


def _stores(settings: Settings, images: Mapping[str, Image], fixed: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Values of the stores by their key, without their fingerprints."""
    return {
        "mysql": {
            "image": images["mysql"].parts(),
            "auth": {"existingSecret": secrets.STORES},
            "serviceAccount": {"create": False, "name": ACCOUNT},
            "primary": {"persistence": {"existingClaim": CLAIMS[DataDisk.MYSQL]}},
        },
        "redis": {
            "image": images["redis"].parts(),
            "auth": {"existingSecret": secrets.STORES, "existingSecretPasswordKey": "redis-password"},
            "persistence": {"existingClaim": CLAIMS[DataDisk.REDIS]},
        },
        "minio": {
            "image": images["minio"].parts(),
            "auth": {
                "existingSecret": secrets.STORES,
                "existingSecretUserKey": "minio-user",
                "existingSecretPasswordKey": "minio-password",
            },
            "persistence": {"existingClaim": CLAIMS[DataDisk.MINIO]},
        },
        "zookeeper": {
            "image": images["zookeeper"].parts(),
            "persistence": {"existingClaim": CLAIMS[DataDisk.ZOOKEEPER]},
        },
        "clickhouse": clickhouse.clickhouse(settings, images, fixed["clickhouse"], ACCOUNT),
    }


def _annotate(name: str, values: dict[str, Any], annotations: Mapping[str, str]) -> None:
    """Put annotations on a store's pods, each chart in its own way."""
    match name:
        case "mysql":
            values["primary"]["podAnnotations"] = dict(annotations)
        case "zookeeper":
            values["commonAnnotations"] = dict(annotations)
        case "clickhouse":
            (template,) = values["extraPodTemplates"]
            template["metadata"] = {"annotations": dict(annotations)}
        case _:
            values["podAnnotations"] = dict(annotations)
