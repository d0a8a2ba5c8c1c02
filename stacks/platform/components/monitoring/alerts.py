"""The alerts of `helm/monitors/rules`, for Azure Monitor, which takes them one by one."""

from functools import cache
from typing import Any

from constructs.managed_prometheus import Alert, AlertGroup
from stacks.common.yaml_text import parsed
from stacks.platform.common.catalogue import HELM
from stacks.platform.components.enabled import EnabledComponents

from .shown import alert_files

RULES = HELM / "monitors" / "rules"


def alerts(components: EnabledComponents) -> tuple[AlertGroup, ...]:
    """Every group of alerts about something that the environment has."""
    return tuple(group for name in alert_files(components) for group in _groups(name))


@cache
def _groups(name: str) -> tuple[AlertGroup, ...]:
    file = parsed((RULES / f"{name}.yaml").read_text("utf-8"))
    return tuple(_group(group) for group in file["groups"])


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
