"""What people notice while the platform is changed."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from .types import Model


class SilencedAlerts(StrEnum):
    """Which alerts are silent."""

    NONE = "none"
    WARNINGS = "warnings"
    ALL = "all"


class DeploymentSettings(Model):
    """What people notice while `llmctl deploy` changes database, cluster or platform; plain cdktf does none of it."""

    chat_banner: Annotated[str, Field(min_length=1, max_length=500)] | None = None
    """Text over the chat meanwhile, on the page of a new chat, for whoever opens or reloads it; left out, none."""
    silence_alerts: SilencedAlerts = SilencedAlerts.NONE
    """Alerts that are not sent meanwhile: `none`, `warnings`, or `all`. It ends with the deployment, by itself after
    two hours."""
