"""The environment `dev` with Opik deployed, for the tests of `llmctl opik`."""

from pathlib import Path

import pytest

from scripts.opik import desired
from stacks.platform.common.catalogue import Chart
from stacks.platform.components.opik import version as opik_version
from tests.support.cli.fake_tools import workload
from tests.support.cli.operated_environment import Operated, deploy_once, operate, upstream
from tests.support.opik.operated import RELEASES, changelogs_from, runs


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    return upstream(tmp_path_factory.mktemp("git") / "opik", RELEASES)


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with pytest.MonkeyPatch.context() as monkeypatch:
        return deploy_once(tmp_path_factory.mktemp("deployed"), monkeypatch)


@pytest.fixture
def operated(deployed: Path, tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch) -> Operated:
    found = operate(deployed, tmp_path / "checkout", monkeypatch)
    pin = {"opik": Chart(repository="https://example.org", name="opik", version="2.1.23")}
    for module in (desired, opik_version):
        monkeypatch.setattr(module, "charts", lambda: pin)
    found.changelogs = changelogs_from(url, tmp_path / "cache")
    found.tools.opik(workload("opik-backend"))
    found.tools.items("pods")
    runs(found, "2.1.23")
    return found
