"""Chart values of trust-manager and of its bundle that only the stack knows."""

from collections.abc import Mapping
from typing import Any

from stacks.platform.common.catalogue import Image
from stacks.platform.common.egress import (
    INTERNAL_ROOT,
    INTERNAL_ROOT_LABEL,
    ROOTS,
    ROOTS_FILE,
    ROOTS_LABEL,
    ROOTS_STORE,
)
from stacks.platform.common.ingress_mode import INTERNAL_ISSUER
from stacks.platform.components.certificates.names import NAMESPACE as SOURCES

from .names import CA_FILE, KNOWN


def trust_manager(images: Mapping[str, Image]) -> dict[str, Any]:
    """Values of trust-manager, which reads what bundles are made of from one namespace alone."""
    return {"image": images["trust-manager/manager"].values(), "app": {"trust": {"namespace": SOURCES}}}


def trusted_roots() -> dict[str, Any]:
    """Values of the own chart with the bundles: the internal CA as its Secret has it now, and all that pods believe."""
    return {
        "authority": {"secret": INTERNAL_ISSUER, "key": "tls.crt"},
        "known": {"configMap": KNOWN, "key": ROOTS_FILE},
        "bundles": {
            ROOTS: {"label": ROOTS_LABEL, "pem": ROOTS_FILE, "pkcs12": ROOTS_STORE, "known": True},
            INTERNAL_ROOT: {"label": INTERNAL_ROOT_LABEL, "pem": CA_FILE, "known": False},
        },
    }
