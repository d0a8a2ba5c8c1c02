"""What tests of Opik share: settings with changes, and what the stacks make of them."""

from collections.abc import Callable
from typing import Any

from stacks.platform.common.catalogue import fixed_values, images_of
from stacks.platform.common.traffic import TrafficRule
from stacks.platform.components.enabled import enabled_components
from stacks.platform.components.opik import login, release, store_values
from stacks.settings import Settings, load_settings
from tests.support.stacks.components import namespaces
from tests.support.stacks.synthesis import Synthesized

Environment = Callable[[str], Synthesized]
ENVIRONMENTS = ("dev", "prod")

PROXY = {"client_id": "client", "group_id": "group", "tenant_id": "tenant"}
HOST = "pg.example.com"


def settings_of(environment: str = "dev", **changes: Any) -> Settings:
    """Return the settings of an environment with some sections changed: `section={field: value}`."""
    settings = load_settings(environment)
    for section, fields in changes.items():
        settings = settings.model_copy(update={section: getattr(settings, section).model_copy(update=fields)})
    return settings


def login_options(settings: Settings) -> dict[str, list[str]]:
    given: dict[str, list[str]] = {}
    for option in login.options(settings):
        name, _, value = option.removeprefix("--").partition("=")
        given.setdefault(name, []).append(value)
    return given


def login_configuration(settings: Settings) -> dict[str, Any]:
    return login.configuration(settings.operators, settings.opik, **PROXY)


def opik_resources(environment: Environment, name: str, kind: str) -> dict[str, dict[str, Any]]:
    """Return Opik's resources of a kind."""
    found = environment(name).resources("platform", f"kubernetes_{kind}_v1")
    return {address: body for address, body in found.items() if address.startswith(("opik-", "static-disk-"))}


def opik_flows(settings: Settings) -> list[TrafficRule]:
    return [flow for rules in namespaces(settings) if rules.name == "opik" for flow in rules.traffic]


def store_fingerprints(settings: Settings) -> dict[str, str]:
    """Return the fingerprints of the stores that a release is made with."""
    images = images_of("opik", enabled_components(settings).deployed_images())
    return store_values.store_fingerprints(settings, images, fixed_values("opik", release.variants(settings.opik)))
