"""The gateway's Secret: its own secrets, the engines' key, and the keys by which the platform's parts call it."""

from collections.abc import Iterable

from stacks.platform.common.external_secrets import ExternalSecret
from stacks.platform.common.secret_marks import VERSIONS_KEY, secret_mark
from stacks.platform.components.base import GatewayCaller
from stacks.platform.components.serving.engines import vllm_engines
from stacks.settings import Settings
from stacks.settings.secrets.names import GeneratedSecret

from . import cloud
from .address import NAMESPACE

SECRET = "gateway-secrets"  # noqa: S105 (a name, not a secret)

_ALWAYS = {
    "LITELLM_MASTER_KEY": GeneratedSecret.GATEWAY_MASTER_KEY,
    "LITELLM_SALT_KEY": GeneratedSecret.GATEWAY_SALT_KEY,
    "database-password": GeneratedSecret.DATABASE_GATEWAY_PASSWORD,
    "redis-password": GeneratedSecret.GATEWAY_REDIS_PASSWORD,
}


def external_secret(settings: Settings, callers: Iterable[GatewayCaller]) -> ExternalSecret:
    """The Secret; `callers` are the platform's parts whose keys the gateway has to know."""
    outside = cloud.secret_keys(settings.cloud_models)
    keys: dict[str, GeneratedSecret | str] = {
        **_ALWAYS,
        **({"VLLM_API_KEY": GeneratedSecret.VLLM_API_KEY} if vllm_engines(settings.models, settings.cluster) else {}),
        **{caller.key_name: caller.secret for caller in callers},
        **outside,
    }
    generated = [name for name in keys.values() if isinstance(name, GeneratedSecret)]
    # Terraform knows no versions of what people write; another name is another secret.
    mark = secret_mark(settings.secrets.versions, generated, *sorted(keys), *([outside] if outside else []))
    return ExternalSecret(namespace=NAMESPACE, name=SECRET, keys=keys, templates={VERSIONS_KEY: mark})


def versions(settings: Settings, callers: Iterable[GatewayCaller]) -> str:
    """Short text that changes when a version of what the Secret holds is raised, or when it holds something else."""
    return external_secret(settings, callers).templates[VERSIONS_KEY]
