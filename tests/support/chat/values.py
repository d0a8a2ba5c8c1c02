"""The chat's values as Helm merges them, of settings with changes."""

from functools import cache
from typing import Any

from ruamel.yaml import YAML

from stacks.platform.common.catalogue import values_files
from stacks.platform.components.chat import release
from stacks.settings import Settings, load_settings
from tests.support.stacks.components import images_of

IDS = {"client_id": "client", "group_id": "group", "tenant_id": "tenant"}


def settings_with(name: str = "dev", /, **changes: dict[str, Any]) -> Settings:
    """Return the settings of an environment with changed keys, by section."""
    plain = load_settings(name).model_dump()
    for section, keys in changes.items():
        plain[section] |= keys
    return Settings.model_validate(plain)


DIRECT = {"gateway": {"enabled": False}}


def passed(settings: Settings) -> dict[str, Any]:
    """Return the values that the stack passes."""
    return release.open_webui(settings, images_of(settings), **IDS)


def chat_values(settings: Settings) -> dict[str, Any]:
    """Return the values as Helm merges them: the file, then what the stack passes."""
    return _merged(_fixed(), passed(settings))


@cache
def _fixed() -> dict[str, Any]:
    (file,) = values_files("open-webui")
    found: dict[str, Any] = YAML(typ="safe").load(file.read_text())
    return found


def _merged(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    both = {key: _merged(base[key], over[key]) for key in base.keys() & over.keys() if isinstance(base[key], dict)}
    return base | over | both


def chat_variables(settings: Settings) -> dict[str, Any]:
    """Return the variables of Open WebUI's container."""
    found: dict[str, Any] = chat_values(settings)["extraEnvVars"]
    return found
