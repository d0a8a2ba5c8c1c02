"""Which alerts and dashboards an environment has: monitoring's own, then those of the other components."""

from collections.abc import Iterable

from stacks.platform.components.base import Component
from stacks.platform.components.enabled import EnabledComponents

ALERTS = ("platform",)
DASHBOARDS = ("overview", "postgresql")


def alert_files(components: EnabledComponents) -> tuple[str, ...]:
    """Files of `helm/monitors/rules`, without their ending."""
    settings = components.settings
    backups = ("backups",) if settings.backups.scheduled and settings.opik.enabled else ()
    return (*ALERTS, *backups, *(name for component in components for name in component.alerts))


def dashboard_files(components: Iterable[Component]) -> tuple[str, ...]:
    """Files of `helm/dashboards/files`, without their ending."""
    return (*DASHBOARDS, *(name for component in components for name in component.dashboards))
