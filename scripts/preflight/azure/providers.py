"""Resource providers and features that have to be registered in the subscription."""

from collections.abc import Iterator

from scripts.azure import operations
from scripts.azure.errors import MissingError
from scripts.azure.shape import Shape
from stacks.common.resource_providers import RESOURCE_PROVIDERS

from ..findings import Finding, warning
from ..surroundings import Surroundings
from .permissions import Permission

ENCRYPTION_AT_HOST = ("Microsoft.Compute", "EncryptionAtHost")


class Provider(Shape):
    """One resource provider."""

    namespace: str
    registration_state: str = ""


class FeatureState(Shape):
    """How far a feature is registered."""

    state: str = ""


class Feature(Shape):
    """A feature of a resource provider."""

    properties: FeatureState = FeatureState()


def needed(stacks: tuple[str, ...]) -> list[str]:
    """Return the namespaces that the stacks need registered."""
    return sorted({namespace for stack in stacks for namespace in RESOURCE_PROVIDERS.get(stack, ())})


def look(asked: Surroundings) -> Iterator[Finding]:
    """Yield the providers that are not registered. Raises AnswerError."""
    states = {
        provider.namespace.lower(): provider.registration_state
        for provider in asked.azure.ask_all(operations.PROVIDERS, Provider)
    }
    missing = [name for name in needed(asked.stacks) if states.get(name.lower()) not in ("Registered", "Registering")]
    if not missing:
        return
    scope = f"/subscriptions/{asked.settings.azure.subscription_id}"
    given = asked.azure.ask_all(operations.PERMISSIONS, Permission, scope=scope)
    fix = "; ".join(f"az provider register --namespace {name} --wait" for name in missing)
    if all(any(one.allows(f"{name}/register/action") for one in given) for name in missing):
        yield warning(
            f"not registered yet: {', '.join(missing)}",
            why="the deployment registers them, which takes minutes and can be done before",
            fix=fix,
        )
    else:
        yield Finding(
            f"not registered, and this login may not do it: {', '.join(missing)}",
            "Azure refuses their resources (MissingSubscriptionRegistration)",
            f"a Contributor of the subscription types: {fix}",
        )


def look_at_features(asked: Surroundings) -> Iterator[Finding]:
    """Yield the features that the file asks for and the subscription lacks. Raises AnswerError."""
    namespace, feature = ENCRYPTION_AT_HOST
    try:
        found = asked.azure.ask(operations.FEATURE, Feature, namespace=namespace, feature=feature).properties.state
    except MissingError:
        found = "NotRegistered"
    if found != "Registered":
        yield Finding(
            f"cluster.host_encryption needs the feature {feature}, which is {found or 'NotRegistered'}",
            "AKS refuses the first node pool, after a quarter of an hour",
            f"az feature register --namespace {namespace} --name {feature}; once it is Registered: az provider register"
            f" --namespace {namespace} --wait",
        )
