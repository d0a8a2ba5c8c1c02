"""The environment file: models, rules across fields, loading."""

from .environment import Settings
from .loading import SettingsError, load_settings

__all__ = ["Settings", "SettingsError", "load_settings"]
