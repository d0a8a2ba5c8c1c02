"""Chart values of Opik that only the stack knows: what its parts have in common, and how the release is installed.

Keys: `values.yaml` of the chart, https://github.com/comet-ml/opik/tree/main/deployment/helm_chart/opik.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

from stacks.platform.common.catalogue import Image, fixed_values, images_of, values_files
from stacks.settings import Settings
from stacks.settings.azure import SecretSettings
from stacks.settings.opik import OpikSettings

from . import application, secrets
from .names import ACCOUNT, OPERATOR, RELEASE
from .store_values import store_fingerprints, store_values

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
        " timeoutSeconds: 5, failureThreshold: 180}\n"
        # 999 is the image's own user; as root it would only change to it.
        "          securityContext: {runAsUser: 999, runAsNonRoot: true, allowPrivilegeEscalation: false,"
        " capabilities: {drop: [ALL]}, seccompProfile: {type: RuntimeDefault}}"
    ),
}
"""What the chart has no values for: MySQL's security context, of which it writes the user alone, and its startup probe.

Half an hour for the start, since its liveness probe would end one after a minute.

By TCP, since the server that initialises the disk listens on its socket alone. Without a password: one that refuses
the login runs (https://dev.mysql.com/doc/refman/8.4/en/mysqladmin.html, `ping`)."""


def variants(opik: OpikSettings) -> tuple[str, ...]:
    """Values files beside the base: the base has the sizes of the profile `small`."""
    return () if opik.profile == "small" else (opik.profile.value,)


def opik(settings: Settings, images: Mapping[str, Image]) -> dict[str, Any]:
    """Values of Opik's chart."""
    own = images_of(RELEASE, images)
    fixed = fixed_values(RELEASE, variants(settings.opik))
    fingerprints = store_fingerprints(settings, own, fixed)
    restart = {RESTART_ANNOTATION: configuration_hash(settings.opik, settings.secrets)}
    return {
        "registry": _common_registry(settings.opik, own),
        # The autoscaler must not take the node from under a migration either.
        "podAnnotations": restart | {KEEP_NODE_ANNOTATION: "false"},
        "serviceAccount": {"create": False, "name": ACCOUNT},
        "component": {
            "backend": application.backend(
                settings.opik,
                own,
                fixed["component"]["backend"],
                kubectl_image=str(images[f"{OPERATOR}/crd-hook"]),
                fingerprints=fingerprints,
            ),
            "python-backend": application.evaluator(settings.opik, own),
            "frontend": application.frontend(settings.ingress, own),
        },
        **store_values(settings, own, fixed, fingerprints),
    }


def configuration_hash(opik: OpikSettings, secret_settings: SecretSettings) -> str:
    """Short text that changes with the fixed values of the release and with the versions of its passwords."""
    parts = [secrets.versions(secret_settings.versions)]
    parts += [file.read_text("utf-8") for file in values_files(RELEASE, variants(opik))]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]


def _common_registry(opik: OpikSettings, images: Mapping[str, Image]) -> str:
    """Return the registry of Opik's own images.

    Raises ValueError when they lie in several: the chart has one key for all.
    """
    names = ("backend", *(("python-backend",) if opik.python_evaluators else ()), "frontend")
    found = {name: images[name].parts()["registry"] for name in names}
    if len(set(found.values())) > 1:
        places = ", ".join(f"{name} in {registry}" for name, registry in found.items())
        raise ValueError(f"Opik's images lie in several registries ({places}); run `llmctl images ensure --image opik`")
    return found["backend"]
