"""Read an environment file into settings, or say in one line per fault what to change."""

from pathlib import Path

from pydantic import ValidationError
from ruamel.yaml import YAML

from .environment import Settings

ENVIRONMENTS = Path(__file__).parents[2] / "environments"


class SettingsError(Exception):
    """The environment file cannot be used; the text has one line per fault."""


def load_settings(env: str) -> Settings:
    """Return the settings of `environments/<env>.yaml`.

    Raises SettingsError when the file is missing, is not YAML, or breaks a rule.
    """
    path = ENVIRONMENTS / f"{env}.yaml"
    if not path.is_file():
        raise SettingsError(f"environments/{env}.yaml does not exist; llmctl env new {env} writes it")
    try:
        return Settings.model_validate(YAML(typ="safe").load(path.read_text("utf-8")))
    except ValidationError as error:
        raise SettingsError(str(error)) from None
