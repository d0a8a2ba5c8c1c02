"""The environment file: models, rules across fields, loading."""

from .environment import Settings
from .errors import LocatedError, SettingsError
from .loading import available_environments, load_settings, parse_settings

__all__ = ["LocatedError", "Settings", "SettingsError", "available_environments", "load_settings", "parse_settings"]
