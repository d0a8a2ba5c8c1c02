"""Every value that is passed to Opik's charts is one that they know."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from stacks.platform.common.catalogue import values_files
from stacks.settings.opik import OpikProfile
from tests.support.opik.rendering import CASES, FOUND, RENDERING, THIRD_PARTY, chart_of, settings_with, wired_values

pytestmark = RENDERING


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0]}-{case[1].value}")
def test_every_value_has_a_key_in_the_chart(case: tuple[str, OpikProfile], tmp_path: Path) -> None:
    for name in THIRD_PARTY:
        defaults = _defaults(chart_of(name, tmp_path))
        given = [YAML(typ="safe").load(file.read_text()) for file in values_files(name)[0].parent.glob("values*.yaml")]
        unknown = {
            path for layer in (*given, wired_values(name, settings_with(*case))) for path in _unknown(layer, defaults)
        }
        assert {path for path in unknown if not path.startswith(NOT_IN_DEFAULTS)} == set(), name


def _defaults(chart: str) -> dict[str, Any]:
    """Return the chart's values; those of its dependencies too, unless it is an archive."""
    shown = subprocess.run([str(FOUND), "show", "values", chart], capture_output=True, text=True, check=True)
    values: dict[str, Any] = YAML(typ="safe").load(shown.stdout)
    for folder in Path(chart).glob("charts/*/values.yaml"):
        own, name = YAML(typ="safe").load(folder.read_text()), folder.parent.name
        values[name] = _merged(own, values.get(name) or {})
    return values


def _merged(base: Any, over: Any) -> Any:
    if not isinstance(base, dict) or not isinstance(over, dict):
        return over
    return base | {key: _merged(base.get(key), value) for key, value in over.items()}


NOT_IN_DEFAULTS = (
    "podAnnotations",
    *(f"component.{component}.image.tag" for component in ("backend", "python-backend", "frontend")),
    *(f"component.{component}.resources" for component in ("backend", "python-backend", "frontend")),
    *(f"component.{component}.securityContext" for component in ("backend", "python-backend", "frontend")),
    *(
        f"component.{component}.{key}"
        for component in ("backend", "python-backend", "frontend")
        for key in ("startupProbe", "livenessProbe", "readinessProbe", "lifecycle", "initContainers", "volumes")
    ),
    "component.backend.autoscaling.",
    "component.backend.env.OPIK_USAGE_REPORT_ENABLED",
    "component.backend.env.TOGGLE_",
    "component.frontend.clientMaxBodySize",
    "component.frontend.extraServerHeaders.Strict-Transport-Security",
    "clickhouse.resources",
    "clickhouse.adminUser.secretname",
    "clickhouse.adminUser.password_key",
    "clickhouse.configuration.files.config.d/",
    "component.python-backend.env.PYTHON_CODE_EXECUTOR_IMAGE_TAG",
    "component.python-backend.env.RQ_WORKER_ENABLED",
    "component.python-backend.env.HOME",
    "component.python-backend.volumeMounts",
    "minio.podSecurityContext.seccompProfile",
    # Keys of the operator's releases after 0.25.
    "operator.image.registry",
    "crdHook.containerSecurityContext",
    "config.existingSecret",
    "topologySpreadConstraints",
    "terminationGracePeriodSeconds",
    "lifecycle",
)
"""Keys that charts document in a comment or only read in a template."""


def _unknown(given: Any, known: Any, path: str = "") -> Iterator[str]:
    if not isinstance(given, dict) or not isinstance(known, dict) or not known:
        return
    for key, value in given.items():
        where = f"{path}.{key}" if path else str(key)
        if key not in known:
            yield where
        else:
            yield from _unknown(value, known[key], where)
