"""What tests of Opik share: settings with changes, and what the stacks make of them."""

from collections.abc import Callable
from typing import Any

from stacks.platform.common.namespaces import namespaces
from stacks.platform.common.traffic import Flow
from stacks.platform.components.opik import login
from stacks.settings import Settings, load_settings
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
    for option in login.options(settings, **PROXY):
        name, _, value = option.removeprefix("--").partition("=")
        given.setdefault(name, []).append(value)
    return given


def opik_resources(environment: Environment, name: str, kind: str) -> dict[str, dict[str, Any]]:
    """Return Opik's resources of a kind."""
    found = environment(name).resources("platform", f"kubernetes_{kind}_v1")
    return {address: body for address, body in found.items() if address.startswith(("opik-", "static-disk-"))}


def opik_flows(settings: Settings) -> list[Flow]:
    return [flow for rules in namespaces(settings) if rules.name == "opik" for flow in rules.flows]
