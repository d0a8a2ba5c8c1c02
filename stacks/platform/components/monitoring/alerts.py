"""The alerts of `helm/monitors/rules`, for Azure Monitor, which takes them one by one."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ruamel.yaml import YAML

from stacks.platform.common.catalogue import HELM
from stacks.settings import Settings

from .targets import alert_groups

RULES = HELM / "monitors" / "rules"

_SEVERITY = {"critical": 1, "warning": 2, "info": 3}
"""Azure's severities of Prometheus' usual ones."""
_DURATION = re.compile(r"(?P<number>\d+)(?P<unit>[mh])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One alert."""

    name: str
    expression: str
    lasts: str
    """How long the expression has to hold, as Prometheus writes it, such as `10m`."""
    labels: Mapping[str, str]
    annotations: Mapping[str, str]

    @property
    def iso_duration(self) -> str:
        """`lasts` as ISO 8601 writes it. Raises ValueError for other units than minutes and hours."""
        match = _DURATION.fullmatch(self.lasts)
        if match is None:
            raise ValueError(f"alert {self.name}: for is {self.lasts!r}; write minutes or hours such as 10m")
        return f"PT{match['number']}{match['unit'].upper()}"

    @property
    def azure_severity(self) -> int:
        """Azure's number for the label `severity`."""
        return _SEVERITY[self.labels["severity"]]


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertGroup:
    """Alerts that are judged together."""

    name: str
    alerts: tuple[Alert, ...]


def alerts(settings: Settings) -> tuple[AlertGroup, ...]:
    """Every group of alerts that the environment's settings call for."""
    files = (YAML(typ="safe").load(RULES / f"{name}.yaml") for name in alert_groups(settings))
    return tuple(_group(group) for file in files for group in file["groups"])


def _group(group: dict[str, Any]) -> AlertGroup:
    return AlertGroup(
        name=group["name"],
        alerts=tuple(
            Alert(
                name=rule["alert"],
                expression=rule["expr"].strip(),
                lasts=rule.get("for", "0m"),
                labels=rule["labels"],
                annotations={name: text.strip() for name, text in rule["annotations"].items()},
            )
            for rule in group["rules"]
        ),
    )
