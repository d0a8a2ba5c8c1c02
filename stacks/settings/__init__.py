"""The environment file: models, rules across fields, loading."""

from .environment import Settings
from .faults import Fault, SettingsError
from .loading import available_environments, load_settings, parse_settings

__all__ = ["Fault", "Settings", "SettingsError", "available_environments", "load_settings", "parse_settings"]
