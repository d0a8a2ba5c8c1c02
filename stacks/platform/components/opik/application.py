"""Chart values of Opik's own containers: the backend, the evaluator of users' code, and the web server.

Keys: `values.yaml` of the chart, https://github.com/comet-ml/opik/tree/main/deployment/helm_chart/opik.
"""

from collections.abc import Mapping
from typing import Any

from stacks.platform.common.catalogue import Image
from stacks.platform.common.ingress_annotations import own_hsts
from stacks.settings.network import IngressSettings
from stacks.settings.opik import OpikSettings

from . import secrets, settling
from .names import ACCOUNT, BACKEND_ACCOUNT, NAMESPACE

MIGRATIONS = "backend-migrations"
"""Init container that migrates both databases, as the chart calls it."""
MIGRATE = 'java() { command java "$@" || exit; }; . ./run_db_migrations.sh'
"""The image's own script, ended by the first failure: by itself it ends well when MySQL's migrations fail
(https://github.com/comet-ml/opik/issues/6417), and the server would start on half a schema."""

DELETES_OLD_TRACES = "-Ddw.retention.enabled=true"
"""Switches on the job that obeys retention rules: `RetentionConfig` of the backend, by Dropwizard's own way of
overriding its configuration (https://www.dropwizard.io/en/stable/manual/core.html#configuration)."""


def backend(
    opik: OpikSettings,
    images: Mapping[str, Image],
    fixed: Mapping[str, Any],
    *,
    kubectl_image: str,
    fingerprints: Mapping[str, str],
) -> dict[str, Any]:
    """Values of the backend, which migrates once the stores run with their `fingerprints`.

    `images` are those of the release, `fixed` is what the values files say of the backend.
    """
    replicas, most = opik.replicas, opik.max_replicas
    environment = [{"configMapRef": {"name": "opik-backend"}}, {"secretRef": {"name": secrets.BACKEND}}]
    return {
        "image": _own_image(images["backend"]),
        "serviceAccount": {"create": False, "name": BACKEND_ACCOUNT},
        "replicaCount": replicas,
        "autoscaling": {"enabled": most > replicas, "minReplicas": replicas, "maxReplicas": most},
        "podDisruptionBudget": {"enabled": replicas > 1},
        "waitForClickhouse": {"image": images["curl"].parts()},
        "waitForMysql": {"image": images["busybox"].parts()},
        "env": {
            "TOGGLE_GUARDRAILS_ENABLED": str(bool(opik.guardrails_pool)).lower(),
            **dict.fromkeys(_EVALUATOR_SWITCHES, str(opik.python_evaluators).lower()),
            **({"JAVA_OPTS": f"{fixed['env']['JAVA_OPTS']} {DELETES_OLD_TRACES}"} if opik.retention_days else {}),
        },
        "envFrom": environment,
        # The chart puts its own migration before containers of ours, so it is off and stands here, after the wait.
        "initContainers": [
            settling.container(
                kubectl_image,
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


def evaluator(opik: OpikSettings, images: Mapping[str, Image]) -> dict[str, Any]:
    """Values of what runs evaluation code that users write."""
    if not opik.python_evaluators:
        return {"enabled": False}
    sandbox = images["sandbox-executor"].parts()
    return {
        "enabled": True,
        "image": _own_image(images["python-backend"]),
        # Unused with the strategy `process`; with another, nothing comes from elsewhere either.
        "env": {f"PYTHON_CODE_EXECUTOR_IMAGE_{key}": sandbox[part] for key, part in _SANDBOX_VARIABLES.items()},
        "serviceAccount": {"create": False, "name": ACCOUNT},
        "envFrom": [{"configMapRef": {"name": "opik-python-backend"}}],
    }


EVALUATOR_IMAGES = ("opik/python-backend", "opik/sandbox-executor")
"""What is neither built nor imported while nobody may write evaluation code."""
_EVALUATOR_SWITCHES = (
    "TOGGLE_PYTHON_EVALUATOR_ENABLED",
    "TOGGLE_TRACE_THREAD_PYTHON_EVALUATOR_ENABLED",
    "TOGGLE_SPAN_USER_DEFINED_METRIC_PYTHON_ENABLED",
)
"""What the backend asks before it takes a rule with Python code or scores by one, and the pages before they offer it
(https://github.com/comet-ml/opik/blob/2.1.23/apps/opik-backend/config.yml, `serviceToggles`)."""
_SANDBOX_VARIABLES = {"REGISTRY": "registry", "NAME": "repository", "TAG": "tag"}
"""What `apps/opik-python-backend/src/opik_backend/executor_docker.py` joins to an image's name."""


def frontend(ingress: IngressSettings, images: Mapping[str, Image]) -> dict[str, Any]:
    """Values of the web server."""
    values: dict[str, Any] = {
        "image": _own_image(images["frontend"]),
        "serviceAccount": {"create": False, "name": ACCOUNT},
    }
    if hsts := own_hsts(ingress):
        values |= {"extraServerHeaders": {"Strict-Transport-Security": hsts}}
    return values


def _own_image(image: Image) -> dict[str, str]:
    parts = image.parts()
    return {"repository": parts["repository"], "tag": parts["tag"]}
