"""Opik's releases, rendered once for each module in both ingress modes and profiles."""

import pytest

from stacks.platform.components.opik.names import OPERATOR
from stacks.settings import Settings
from tests.support.kubernetes.api_schemas import definitions_of
from tests.support.opik.rendering import (
    CASES,
    FOUND,
    THIRD_PARTY,
    Objects,
    chart_of,
    render,
    settings_with,
)


@pytest.fixture(scope="module", params=CASES, ids=lambda case: f"{case[0]}-{case[1].value}")
def case(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Settings, dict[str, Objects]]:
    """Return settings and the objects of every release of Opik, by release."""
    settings = settings_with(*request.param)
    names = (*THIRD_PARTY, "login-sessions", "opik-guardrails")
    return settings, {name: render(name, settings, tmp_path_factory.mktemp(name)) for name in names}


@pytest.fixture(scope="module")
def definitions(tmp_path_factory: pytest.TempPathFactory) -> Objects:
    """Return the definitions of custom kinds that the operator's chart brings."""
    return definitions_of(str(FOUND), chart_of(OPERATOR, tmp_path_factory.mktemp("definitions")), "1.36.0")
