"""The environment file: models, rules across fields, loading.

Where to look:

- the models, one module per section of the file: `environment` joins them, `types` is what they are built from and
  `docstrings` reads what each setting means;
- from text to settings: `file/`, whose `errors` and `explain` say what is wrong and where;
- what no single field can say: `rules/`, with facts about Azure from `azure_catalog/`, about models from
  `model_catalogue/`, and what `estimates/` computes: nodes that the pods need, minutes of a cold start;
- what cannot go back once deployed: `one_way/`, marks on the fields, and the rule that compares two files;
- the platform's secrets, and texts that look like one: `secrets/`;
- what is written from the models for editors and readers: `generated/`.
"""

from .environment import Settings
from .file.errors import LocatedError, SettingsError
from .file.loading import available_environments, load_settings, parse_settings

__all__ = ["LocatedError", "Settings", "SettingsError", "available_environments", "load_settings", "parse_settings"]
