"""Silences of a real Alertmanager: what they cover, and that they end."""

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from scripts.applications.silences import SEVERITIES, Silences
from scripts.core import http as web
from scripts.core.errors import OperatorError
from tests.support.patience import PATIENCE_S
from tests.support.programs.pod_network import Names
from tests.support.programs.processes import DEBIAN, Program, in_debian, wait_for

pytestmark = pytest.mark.live

PROGRAM = DEBIAN / "usr" / "bin" / "prometheus-alertmanager"
ADDRESS, PORT = "127.0.93.1", 9093
CONFIGURATION = "route: {receiver: nobody}\nreceivers: [{name: nobody}]\n"


@pytest.fixture(scope="module")
def alertmanager(network: Names, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:  # noqa: ARG001
    assert PROGRAM.exists(), "scripts/lab/install-live debian"
    folder = tmp_path_factory.mktemp("alertmanager")
    (folder / "alertmanager.yml").write_text(CONFIGURATION)
    command = in_debian(
        folder, "root", "prometheus-alertmanager", "--config.file=/mnt/alertmanager.yml", "--storage.path=/mnt/data",
        f"--web.listen-address={ADDRESS}:{PORT}", "--cluster.listen-address=",
    )  # fmt: skip
    with Program("alertmanager", command, folder, os.environ, ADDRESS, PORT, health="/-/ready").running():
        yield f"http://{ADDRESS}:{PORT}"


def states(base: str) -> dict[str, str]:
    """Return by name whether each alert is `active` or `suppressed`."""
    found = json.loads(web.get(f"{base}/api/v2/alerts").body)
    return {alert["labels"]["alertname"]: alert["status"]["state"] for alert in found}


@pytest.fixture(scope="module")
def firing(alertmanager: str) -> str:
    alerts = [
        {"labels": {"alertname": name, "severity": severity}}
        for name, severity in (("PodRestarts", "warning"), ("DiskNearlyFull", "critical"))
    ]
    assert web.send_json(f"{alertmanager}/api/v2/alerts", alerts).status == 200
    wait_for(lambda: len(states(alertmanager)) == 2, PATIENCE_S, lambda: str(states(alertmanager)))
    return alertmanager


@pytest.mark.parametrize(("asked", "critical"), [("warnings", "active"), ("all", "suppressed")])
def test_what_is_asked_for_is_silent_until_it_ends(firing: str, asked: str, critical: str) -> None:
    silences = Silences(firing)
    silence = silences.begin(SEVERITIES[asked], "ada@example.com", "llmctl deploy dev", datetime.now(UTC))
    silent = {"PodRestarts": "suppressed", "DiskNearlyFull": critical}
    try:
        wait_for(lambda: states(firing) == silent, PATIENCE_S, lambda: str(states(firing)))
        (kept,) = [one for one in json.loads(web.get(f"{firing}/api/v2/silences").body) if one["id"] == silence]
        begun, ends = (datetime.fromisoformat(kept[key]) for key in ("startsAt", "endsAt"))
        assert (ends - begun).total_seconds() <= 2 * 3600
        assert (kept["createdBy"], kept["comment"]) == ("ada@example.com", "llmctl deploy dev")
    finally:
        silences.end(silence)
    wait_for(lambda: set(states(firing).values()) == {"active"}, PATIENCE_S, lambda: str(states(firing)))


def test_what_alertmanager_refuses_is_one_sentence(firing: str) -> None:
    with pytest.raises(OperatorError, match=r"Alertmanager answers 4\d\d: "):
        Silences(firing).end("no-such-silence")
    with pytest.raises(OperatorError, match="Alertmanager gives no answer"):
        Silences("http://127.0.0.1:1").begin("warning", "ada", "x", datetime.now(UTC))
