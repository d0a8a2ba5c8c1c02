"""Models outside the network: where they may compute, who answers for whom."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from ..cloud_models import CloudEngine, CloudModelSettings
from ..file.errors import Key
from ..llm_gateway import GatewayServiceSettings
from ..models import ModelSettings
from ..network import NetworkSettings
from ..secrets.detection import secret_in
from ..secrets.names import KEPT, GeneratedSecret
from .base import Finding


def cloud_models_have_a_gateway(
    cloud_models: tuple[CloudModelSettings, ...], gateway: GatewayServiceSettings
) -> Iterator[Finding]:
    """Keys, budgets and the mark of what left the network are those of the LLM gateway."""
    if cloud_models and not gateway.enabled:
        yield Finding(("cloud_models",), "are reached through the LLM gateway alone; set gateway.enabled to true")


def cloud_models_are_reached_directly(
    cloud_models: tuple[CloudModelSettings, ...], network: NetworkSettings
) -> Iterator[Finding]:
    """The one way out is NGINX, which asks no proxy."""
    if cloud_models and network.egress_proxy:
        yield Finding(("cloud_models",), "cannot be reached through network.egress_proxy; remove one of the two")


def cloud_models_stay_where_they_may(
    cloud_models: tuple[CloudModelSettings, ...], gateway: GatewayServiceSettings
) -> Iterator[Finding]:
    """Prompts are processed in places that the file allows, which by itself allows none."""
    allowed = ", ".join(gateway.cloud_places) or "none"
    for index, model in enumerate(cloud_models):
        if model.processed_in not in gateway.cloud_places:
            yield Finding(
                ("cloud_models", index, "processed_in"),
                f"is no place of gateway.cloud_places ({allowed}), and prompts must not be processed elsewhere; add it"
                " there, or name a deployment in an allowed place",
            )


def cloud_models_have_one_way_in(cloud_models: tuple[CloudModelSettings, ...]) -> Iterator[Finding]:
    """Azure is entered by identity or by key, everything else by key; and only Azure knows identities and versions."""
    for index, model in enumerate(cloud_models):
        key: Key = ("cloud_models", index)
        azure = model.engine is CloudEngine.AZURE_OPENAI
        if azure and model.resource_id and model.secret:
            yield Finding((*key, "secret"), "is not needed beside resource_id, which needs no key; remove one of them")
        elif azure and not model.resource_id and not model.secret:
            yield Finding(
                key, "needs resource_id, to log in by the LLM gateway's own identity, or secret", shows_value=False
            )
        if azure and urlsplit(model.endpoint).path:
            yield Finding((*key, "endpoint"), "has a path; write the address of the Azure resource alone")
        for name in ("resource_id", "api_version"):
            if not azure and name in model.model_fields_set:
                yield Finding((*key, name), "applies to azure-openai only; remove it")


def cloud_models_have_names_of_their_own(
    cloud_models: tuple[CloudModelSettings, ...], models: tuple[ModelSettings, ...]
) -> Iterator[Finding]:
    """A name never stands for an own model and one outside, nor for two of them."""
    taken = {name for model in models for name in model.served_names}
    for index, model in enumerate(cloud_models):
        if model.name in taken:
            yield Finding(("cloud_models", index, "name"), "is the name of another model; rename one")
        taken.add(model.name)


def fallbacks_are_listed(
    models: tuple[ModelSettings, ...], cloud_models: tuple[CloudModelSettings, ...]
) -> Iterator[Finding]:
    """Whoever answers for a model is one of those outside."""
    known = ", ".join(model.name for model in cloud_models) or "there is none"
    for index, model in enumerate(models):
        if model.fallback and model.fallback not in {outside.name for outside in cloud_models}:
            yield Finding(("models", index, "fallback"), f"is no name of cloud_models ({known})")


def cloud_keys_are_the_companys_own(cloud_models: tuple[CloudModelSettings, ...]) -> Iterator[Finding]:
    """A service gets a key that somebody wrote to the vault for it, none that unlocks a part of the platform."""
    for index, model in enumerate(cloud_models):
        key = ("cloud_models", index, "secret")
        if model.secret is None:
            continue
        if model.secret.lower() in set(GeneratedSecret) or model.secret.lower().startswith(KEPT):
            yield Finding(key, "belongs to the platform; write the service's key to the vault under another name")
        elif secret_in(model.secret):
            yield Finding(
                key,
                "must be the name of a secret in the vault, and looks like the secret itself; rotate it if this file"
                " was shared",
                shows_value=False,
            )


RULES = (
    cloud_models_have_a_gateway,
    cloud_models_are_reached_directly,
    cloud_models_stay_where_they_may,
    cloud_models_have_one_way_in,
    cloud_models_have_names_of_their_own,
    fallbacks_are_listed,
    cloud_keys_are_the_companys_own,
)
