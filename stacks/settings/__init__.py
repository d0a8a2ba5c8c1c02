"""The environment file: models, rules across fields, loading.

Where to look:

- the models, one module per section of the file: `environment` joins them, `types` is what they are built from;
- from text to settings: `loading` by way of `yaml_source`; `explain` and `errors` say what is wrong and where;
- what no single field can say: `rules/`, with the facts about Azure that they need in `catalog`, `regions`,
  `reservations`, `capacity`, `cold_start` and `tools`; `change` compares two states of a file;
- what is written from the models: `docstrings`, `reference` and `schema`.
"""

from .environment import Settings
from .errors import LocatedError, SettingsError
from .loading import available_environments, load_settings, parse_settings

__all__ = ["LocatedError", "Settings", "SettingsError", "available_environments", "load_settings", "parse_settings"]
