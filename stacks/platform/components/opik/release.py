"""Chart values of Opik, its ClickHouse operator and its guardrails service that only the stack knows.

Keys: `values.yaml` of the charts, https://github.com/comet-ml/opik/tree/main/deployment/helm_chart/opik and
https://github.com/Altinity/clickhouse-operator/tree/master/deploy/helm/clickhouse-operator.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

from stacks.platform.common.accounts import OAUTH2_PROXY
from stacks.platform.common.catalogue import Image, fixed_values, values_files
from stacks.platform.common.images import deployed_images
from stacks.platform.common.ingress_annotations import own_hsts
from stacks.settings import Settings
from stacks.settings.data import DataDisk

from . import clickhouse, secrets, settling
from .stores import CLAIMS
from .version import opik_version

RELEASE = "opik"
OPERATOR = secrets.OPERATOR
GUARDRAILS = "opik-guardrails"
NAMESPACE = OAUTH2_PROXY.namespace
ACCOUNT = "opik"
"""Service account of every pod of Opik that needs no access to Kubernetes."""
BACKEND_ACCOUNT = "opik-backend"
"""Service account of the backend, which may read the state of the stores (`settling.RIGHTS`)."""
MIGRATIONS = "backend-migrations"
"""Init container that migrates both databases, as the chart calls it."""
MIGRATE = 'java() { command java "$@" || exit; }; . ./run_db_migrations.sh'
"""The image's own script, ended by the first failure: by itself it ends well when MySQL's migrations fail
(https://github.com/comet-ml/opik/issues/6417), and the server would start on half a schema."""
RESTART_ANNOTATION = "platform/configuration"
"""Annotation of the components' pods that changes when configuration or a password does, so that they restart."""
KEEP_NODE_ANNOTATION = "cluster-autoscaler.kubernetes.io/safe-to-evict"
"""https://github.com/kubernetes/autoscaler/blob/master/cluster-autoscaler/FAQ.md"""
INSTALL_SECONDS = 3600
"""How long Terraform waits: images, disks, ClickHouse, and then 200 migrations, of which none may be interrupted
(https://github.com/comet-ml/opik/issues/7090)."""

INSERTIONS = {
    "        - name: mysql": (
        "          startupProbe: {exec: {command: [mysqladmin, ping, -h127.0.0.1]}, periodSeconds: 10,"
        " timeoutSeconds: 5, failureThreshold: 180}"
    ),
}
"""Half an hour for MySQL's start: the chart has no value for it, and its liveness probe would end one after a minute.

By TCP, since the server that initialises the disk listens on its socket alone. Without a password: one that refuses
the login runs (https://dev.mysql.com/doc/refman/8.4/en/mysqladmin.html, `ping`)."""


def variants(settings: Settings) -> tuple[str, ...]:
    """Values files beside the base: the base has the sizes of the profile `small`."""
    return () if settings.opik.profile == "small" else (settings.opik.profile.value,)


def opik(settings: Settings) -> dict[str, Any]:
    """Values of Opik's chart."""
    images = _images(settings)
    stores = _stores(settings, images)
    fingerprints = store_fingerprints(settings)
    for name, values in stores.items():
        _annotate(name, values, {settling.FINGERPRINT_ANNOTATION: fingerprints[name]})
    restart = {RESTART_ANNOTATION: configuration_hash(settings)}
    return {
        "registry": _common_registry(images),
        # The autoscaler must not take the node from under a migration either.
        "podAnnotations": restart | {KEEP_NODE_ANNOTATION: "false"},
        "serviceAccount": {"create": False, "name": ACCOUNT},
        "component": {
            "backend": _backend(settings, images, fingerprints),
            "python-backend": _evaluator(images),
            "frontend": _frontend(settings, images),
        },
        **stores,
    }


def store_fingerprints(settings: Settings) -> dict[str, str]:
    """Return for each store a text that changes with its values, its image, its passwords and the chart's version.

    The version stands for the chart's own defaults. What concerns other stores or the components is not in it, so that
    a store is restarted for its own sake only.
    """
    fixed = _fixed(settings)
    version = opik_version(settings)
    return {
        name: settling.fingerprint(version, _store_passwords(settings, name), fixed.get(name), values)
        for name, values in _stores(settings, _images(settings)).items()
    }


def _store_passwords(settings: Settings, name: str) -> str:
    # The operator puts its own account among ClickHouse's users.
    sources = (secrets.STORES, secrets.OPERATOR) if name == "clickhouse" else (secrets.STORES,)
    return secrets.versions(settings, *sources)


def _stores(settings: Settings, images: Mapping[str, Image]) -> dict[str, dict[str, Any]]:
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
        "clickhouse": clickhouse.clickhouse(settings, images, _fixed(settings)["clickhouse"], ACCOUNT),
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


def _fixed(settings: Settings) -> Mapping[str, Any]:
    return fixed_values(RELEASE, variants(settings))


def _images(settings: Settings) -> dict[str, Image]:
    return {
        name.removeprefix(f"{RELEASE}/"): image
        for name, image in deployed_images(settings).items()
        if name.startswith(f"{RELEASE}/")
    }


def _backend(settings: Settings, images: Mapping[str, Image], fingerprints: Mapping[str, str]) -> dict[str, Any]:
    replicas, most = settings.opik.replicas, settings.opik.max_replicas
    fixed = _fixed(settings)["component"]["backend"]
    environment = [{"configMapRef": {"name": "opik-backend"}}, {"secretRef": {"name": secrets.BACKEND}}]
    return {
        "image": _own_image(images["backend"]),
        "serviceAccount": {"create": False, "name": BACKEND_ACCOUNT},
        "replicaCount": replicas,
        "autoscaling": {"enabled": most > replicas, "minReplicas": replicas, "maxReplicas": most},
        "podDisruptionBudget": {"enabled": replicas > 1},
        "waitForClickhouse": {"image": images["curl"].parts()},
        "waitForMysql": {"image": images["busybox"].parts()},
        "env": {"TOGGLE_GUARDRAILS_ENABLED": str(bool(settings.opik.guardrails_pool)).lower()},
        "envFrom": environment,
        # The chart puts its own migration before containers of ours, so it is off and stands here, after the wait.
        "initContainers": [
            settling.container(
                str(deployed_images(settings)[f"{OPERATOR}/crd-hook"]),
                NAMESPACE,
                fingerprints,
                fixed["securityContext"],
                fixed["waitForMysql"]["resources"],
            ),
            {
                "name": MIGRATIONS,
                "image": str(images["backend"]),
                "command": ["/bin/bash", "-c", MIGRATE],
                "envFrom": environment,
                "securityContext": fixed["securityContext"],
                "resources": fixed["run_migration_resources"],
            },
        ],
        "volumes": [settling.token_volume()],
    }


def _evaluator(images: Mapping[str, Image]) -> dict[str, Any]:
    sandbox = images["sandbox-executor"].parts()
    return {
        "image": _own_image(images["python-backend"]),
        # Unused with the strategy `process`; with another, nothing comes from elsewhere either.
        "env": {f"PYTHON_CODE_EXECUTOR_IMAGE_{key}": sandbox[part] for key, part in _SANDBOX_VARIABLES.items()},
        "serviceAccount": {"create": False, "name": ACCOUNT},
        "waitForRedis": {"image": images["busybox"].parts()},
        "envFrom": [{"configMapRef": {"name": "opik-python-backend"}}, {"secretRef": {"name": secrets.EVALUATOR}}],
    }


_SANDBOX_VARIABLES = {"REGISTRY": "registry", "NAME": "repository", "TAG": "tag"}
"""What `apps/opik-python-backend/src/opik_backend/executor_docker.py` joins to an image's name."""


def _frontend(settings: Settings, images: Mapping[str, Image]) -> dict[str, Any]:
    frontend = {
        "image": _own_image(images["frontend"]),
        "serviceAccount": {"create": False, "name": ACCOUNT},
    }
    if hsts := own_hsts(settings):
        frontend |= {"extraServerHeaders": {"Strict-Transport-Security": hsts}}
    return frontend


def operator(settings: Settings) -> dict[str, Any]:
    """Values of the ClickHouse operator, which is a release of its own so that it outlives the installation."""
    images = deployed_images(settings)
    return {
        "operator": {"image": {"registry": "", **images[f"{OPERATOR}/operator"].values()}},
        "crdHook": {"image": images[f"{OPERATOR}/crd-hook"].values()},
        # It reads its account as it starts.
        "podAnnotations": {RESTART_ANNOTATION: secrets.versions(settings, secrets.OPERATOR)},
        # The password of accounts without one of their own. None is made, and this one is no secret.
        "configs": {
            "files": {
                "config.yaml": {
                    "clickhouse": {
                        "configuration": {"user": {"default": {"password": _unused_password(settings)}}},
                    }
                }
            }
        },
    }


def guardrails(settings: Settings) -> dict[str, Any]:
    """Values of the own chart that runs the guardrails service on a GPU pool."""
    return {
        "image": str(deployed_images(settings)[f"{GUARDRAILS}/service"]),
        "nodeSelector": {"kubernetes.azure.com/agentpool": settings.opik.guardrails_pool},
    }


def configuration_hash(settings: Settings) -> str:
    """Short text that changes with the fixed values of the release and with the versions of its passwords."""
    parts = [secrets.versions(settings)]
    parts += [file.read_text("utf-8") for file in values_files(RELEASE, variants(settings))]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]


def _own_image(image: Image) -> dict[str, str]:
    parts = image.parts()
    return {"repository": parts["repository"], "tag": parts["tag"]}


def _common_registry(images: Mapping[str, Image]) -> str:
    """Return the registry of Opik's own images.

    Raises ValueError when they lie in several: the chart has one key for all.
    """
    found = {name: images[name].parts()["registry"] for name in ("backend", "python-backend", "frontend")}
    if len(set(found.values())) > 1:
        places = ", ".join(f"{name} in {registry}" for name, registry in found.items())
        raise ValueError(f"Opik's images lie in several registries ({places}); run `llmctl images ensure --image opik`")
    return found["backend"]


def _unused_password(settings: Settings) -> str:
    return hashlib.sha256(f"{settings.azure.subscription_id}/{settings.name}/unused".encode()).hexdigest()[:32]
