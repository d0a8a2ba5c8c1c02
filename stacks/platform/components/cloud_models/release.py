"""Chart values of the way out: one place for each model, to its host alone."""

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from stacks.platform.common import timeouts
from stacks.platform.common.catalogue import Image
from stacks.platform.common.egress import ROOTS_PATH
from stacks.settings.cloud_models import CloudEngine, CloudModelSettings

from .address import ENTRA, PORT, resource_ids

HTTPS = 443
AUTHORITY = "login.microsoftonline.com"
"""Entra, for tokens; clouds of their own are refused by the settings."""
CALLS = ("chat/completions", "completions", "embeddings")
"""Paths that are let out; everything else of a service, such as its files, stays out of reach."""


def ports(models: Iterable[CloudModelSettings]) -> tuple[int, ...]:
    """Return the ports that requests leave to."""
    return tuple(sorted({urlsplit(model.endpoint).port or HTTPS for model in models} | {HTTPS}))


def cloud_egress(
    models: tuple[CloudModelSettings, ...], images: Mapping[str, Image], *, tenant_id: str, company_roots: bool = False
) -> dict[str, Any]:
    """Return the values of the own chart; tokens are asked for in the tenant alone.

    With `company_roots` its pods believe those that a company adds to the public ones.
    """
    hop = timeouts.cloud_egress()
    return {
        "image": images["cloud-egress/nginx"].values(),
        "port": PORT,
        **({"authorities": ROOTS_PATH} if company_roots else {}),
        "timeoutSeconds": hop.silence_seconds,
        "idleSeconds": hop.idle_seconds,
        "preStopSeconds": hop.pre_stop_seconds,
        "graceSeconds": hop.grace_seconds,
        "models": {model.name: target(model) for model in models},
        "entra": {"path": f"{ENTRA}/{tenant_id}", "host": AUTHORITY, "tenant": tenant_id}
        if resource_ids(models)
        else {},
    }


def target(model: CloudModelSettings) -> dict[str, Any]:
    """Return where calls of a model go, and which are let out."""
    address = urlsplit(model.endpoint)
    azure = model.engine is CloudEngine.AZURE_OPENAI
    folder = f"openai/deployments/{model.id}/" if azure else ""
    return {
        "host": address.hostname,
        "port": address.port or HTTPS,
        "base": address.path,
        "calls": [f"{folder}{call}" for call in CALLS],
    }
