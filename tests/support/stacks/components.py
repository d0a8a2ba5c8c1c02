"""What the components of an environment declare, for tests of their values."""

from collections.abc import Mapping

from stacks.platform.common.catalogue import Image
from stacks.platform.common.external_secrets import ByNamespace, templates, vault_names
from stacks.platform.common.namespaces import NamespaceRules
from stacks.platform.common.traffic import TrafficRule
from stacks.platform.components.enabled import EnabledComponents, enabled_components
from stacks.settings import Settings


def with_images(settings: Settings) -> tuple[Settings, Mapping[str, Image]]:
    """Return the first two arguments of most functions that return chart values."""
    return settings, enabled_components(settings).deployed_images()


def components_with_images(settings: Settings) -> tuple[EnabledComponents, Mapping[str, Image]]:
    """Return the first two arguments of functions that look at other components, too."""
    components = enabled_components(settings)
    return components, components.deployed_images()


def images_of(settings: Settings) -> Mapping[str, Image]:
    """Return every image as the environment deploys it."""
    return enabled_components(settings).deployed_images()


def namespaces(settings: Settings) -> tuple[NamespaceRules, ...]:
    """Return the environment's namespaces."""
    return enabled_components(settings).namespaces()


def namespace(settings: Settings, name: str) -> NamespaceRules:
    """Return one namespace."""
    return next(rules for rules in namespaces(settings) if rules.name == name)


def rule(rules: NamespaceRules, name: str) -> TrafficRule:
    """Return one traffic rule of a namespace."""
    return next(one for one in rules.traffic if one.name == name)


def secret_names(settings: Settings) -> ByNamespace:
    """Return what is copied out of the vault, by namespace, Secret and key."""
    return vault_names(enabled_components(settings).external_secrets())


def secret_templates(settings: Settings, *, database_host: str = "") -> ByNamespace:
    """Return the texts around what is copied out of the vault, by namespace, Secret and key."""
    return templates(enabled_components(settings).external_secrets(database_host=database_host))
