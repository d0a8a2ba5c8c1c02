"""`llmctl db`: which times have a backup, how a restore begins, goes on, and what it refuses to lose."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest

from scripts.applications.database_health import CHAT, GATEWAY, check
from scripts.cli.database.commands import moment_of
from scripts.cli.database.restore import MADE_ANEW
from scripts.cli.database.restored_server import (
    free_generation,
    import_ids,
    is_switched,
    source_of,
    with_restore,
    without_restore,
)
from scripts.cli.database.server import AzureServers, server_status
from scripts.cluster.kubectl import Kubectl
from scripts.core.errors import ExitCode, OperatorError
from scripts.deployment.following import AgreedLoss
from stacks.common.azure_names import AzureNames
from stacks.settings import Settings, load_settings, parse_settings
from tests.support.web_servers import Reply, serving

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/llm-dev-database"
SERVERS = f"{GROUP}/providers/Microsoft.DBforPostgreSQL/flexibleServers"
OLD, NEW = "llm-dev-pg-46cy3", "llm-dev-pg2-46cy3"
FILE = (Path(__file__).parents[3] / "environments" / "dev.yaml").read_text("utf-8")
MOMENT = "2026-11-20T12:00:00Z"
NAMES = AzureNames(prefix="llm", environment="dev", subscription_id=SUBSCRIPTION)


def _server(name: str) -> dict[str, str]:
    return {"name": name, "id": f"{SERVERS}/{name}"}


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-20T12:00:00Z", "2026-11-20T12:00:00Z"),
        ("2026-11-20T13:00:00+01:00", "2026-11-20T12:00:00Z"),
        ("2026-11-20T12:00:00.900Z", "2026-11-20T12:00:00Z"),
        ("2026-11-14T12:00:00Z", "2026-11-14T12:00:00Z"),
    ],
)
def test_a_time_becomes_what_the_file_takes(text: str, moment: str) -> None:
    assert moment_of(text, 7, NOW) == moment


@pytest.mark.parametrize(
    "text", ["yesterday", "2026-11-20", "2026-11-20T12:00:00", "2026-11-14T11:59:59Z", "2026-11-21T12:00:01Z"]
)
def test_a_time_without_an_offset_or_a_backup_is_refused(text: str) -> None:
    with pytest.raises(OperatorError) as refused:
        moment_of(text, 7, NOW)
    assert refused.value.code is ExitCode.USAGE
    assert text in refused.value.message


def _settings(text: str = FILE) -> Settings:
    return parse_settings(text, "dev.yaml", "dev")


def test_a_restore_begins_with_the_next_generation_and_leaves_the_rest_of_the_file() -> None:
    text = with_restore(
        FILE, free_generation(NAMES, _settings().database, _server(OLD), {OLD}), f"{SERVERS}/{OLD}", MOMENT
    )
    database = _settings(text).database
    assert (database.generation, database.restore_from_server_id) == (2, f"{SERVERS}/{OLD}")
    assert database.restore_time_utc == MOMENT
    added = [line for line in text.splitlines() if line not in FILE.splitlines()]
    assert len(added) == 3
    assert without_restore(text, 1).replace("  generation: 1\n", "") == FILE


def test_a_restored_server_gets_a_name_that_no_server_has() -> None:
    assert free_generation(NAMES, _settings().database, _server(OLD), {OLD, NEW, "llm-dev-pg3-46cy3"}) == 4
    assert free_generation(NAMES, _settings().database, _server(NEW), {OLD, NEW}) == 3
    assert free_generation(NAMES, _settings().database, None, {OLD}) == 2


def test_a_restore_is_from_the_server_in_use_or_the_one_that_is_named() -> None:
    assert source_of(NAMES, _settings().database, _server(OLD), "") == f"{SERVERS}/{OLD}"
    assert source_of(NAMES, _settings().database, _server(OLD), NEW) == f"{SERVERS}/{NEW}"
    assert source_of(NAMES, _settings().database, None, f"{SERVERS}/{OLD}") == f"{SERVERS}/{OLD}"


@pytest.mark.parametrize("server", [_server(OLD), _server(NEW), None])
def test_a_restore_that_has_begun_keeps_nobody_from_another(server: dict[str, str] | None) -> None:
    begun = _settings(with_restore(FILE, 2, f"{SERVERS}/{OLD}", MOMENT))
    assert source_of(NAMES, begun.database, server, OLD) == f"{SERVERS}/{OLD}"
    assert is_switched(NAMES, begun.database, MOMENT, server, "") is (server == _server(NEW))
    assert not is_switched(NAMES, begun.database, "2026-11-19T12:00:00Z", server, "")
    assert not is_switched(NAMES, begun.database, MOMENT, server, NEW)


def test_without_a_server_there_is_nothing_to_restore() -> None:
    with pytest.raises(OperatorError, match="holds no database") as refused:
        source_of(NAMES, _settings().database, None, "")
    assert refused.value.code is ExitCode.NOT_READY
    assert "--abort" in refused.value.fix


def test_a_file_about_another_server_is_refused() -> None:
    with pytest.raises(OperatorError, match="the state about llm-dev-pg2"):
        source_of(NAMES, _settings().database, _server(NEW), "")


def test_a_server_is_imported_with_what_belongs_to_it() -> None:
    kind = "azurerm_postgresql_flexible_server"
    configured: dict[str, dict[str, Any]] = {
        f"{kind}.it": {"name": OLD},
        f"{kind}_configuration.tls": {"server_id": f"${{{kind}.it.id}}", "name": "ssl_min_protocol_version"},
        f"{kind}_active_directory_administrator.team": {"server_name": OLD, "object_id": "1"},
    }
    assert list(import_ids(f"{SERVERS}/{OLD}", configured).values()) == [
        f"{SERVERS}/{OLD}",
        f"{SERVERS}/{OLD}/configurations/ssl_min_protocol_version",
        f"{SERVERS}/{OLD}/administrators/1",
    ]


@pytest.mark.parametrize(
    ("moment", "state", "match"),
    [
        ("2026-11-14T11:59:59Z", "Ready", "earliest point is 2026-11-14T12:00:00"),
        (MOMENT, "Stopped", "is Stopped"),
    ],
)
def test_azure_is_asked_before_anything_is_written(moment: str, state: str, match: str) -> None:
    def az(*arguments: str) -> dict[str, Any]:
        assert arguments[-4:] == ("--resource-group", "llm-dev-database", "--subscription", SUBSCRIPTION)
        return {"state": state, "backup": {"earliestRestoreDate": "2026-11-14T12:00:00.123+00:00"}}

    with pytest.raises(OperatorError, match=match):
        AzureServers(az).require_restorable(f"{SERVERS}/{OLD}", moment)


def test_the_first_moment_with_a_backup_is_restored() -> None:
    shown = {"state": "Ready", "backup": {"earliestRestoreDate": "2026-11-14T12:00:00+00:00"}}
    AzureServers(lambda *_: shown).require_restorable(f"{SERVERS}/{OLD}", "2026-11-14T12:00:00Z")


def test_nothing_is_lost_beside_what_follows_the_database() -> None:
    consent = AgreedLoss("dev", yes=True, expected=MADE_ANEW)
    consent.obtain("?", {"network": ("azurerm_private_endpoint.postgresql",)})
    with pytest.raises(OperatorError, match=r"azurerm_subnet\.nodes"):
        consent.obtain("?", {"network": ("azurerm_private_endpoint.postgresql", "azurerm_subnet.nodes")})
    with pytest.raises(OperatorError, match="azurerm_private_endpoint"):
        AgreedLoss("dev", yes=True).obtain("?", {"database": ("azurerm_private_endpoint.x",)})


def test_status_tells_what_can_be_restored_and_what_is_left_over() -> None:
    answers: dict[str, Any] = {
        "show": {
            "sku": {"name": "Standard_B2s"},
            "storage": {"storageSizeGb": 32},
            "state": "Ready",
            "backup": {"earliestRestoreDate": "2026-11-14T12:00:00Z"},
        },
        "list": {"servers": [OLD, NEW]},
    }
    backups = [{"properties": {"completedTime": f"2026-11-{day}T02:00:00Z"}} for day in (20, 19)]
    asked = []

    def az(*arguments: str) -> dict[str, Any]:
        asked.append(arguments)
        return {"value": backups} if arguments[0] == "rest" else answers[arguments[2]]

    outputs = {"server_name": NEW, "resource_group_name": "llm-dev-database"}
    found = server_status(load_settings("dev").azure, outputs, az)
    assert found["other_servers"] == [OLD]
    assert found["backups"] == ["2026-11-19T02:00:00Z", "2026-11-20T02:00:00Z"]
    (rest,) = (arguments for arguments in asked if arguments[0] == "rest")
    assert rest[-1] == (
        "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/llm-dev-database/providers"
        f"/Microsoft.DBforPostgreSQL/flexibleServers/{NEW}/backups?api-version=2024-08-01"
    )
    assert found["earliest_restore"] == "2026-11-14T12:00:00Z"
    assert json.loads(json.dumps(found)) == found


class Cluster:
    """Forwards every service to one port of this machine."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.asked: list[tuple[str, str, int]] = []

    @contextmanager
    def forwarded(self, namespace: str, service: str, port: int) -> Iterator[str]:
        self.asked.append((namespace, service, port))
        yield f"http://127.0.0.1:{self.port}"


@pytest.mark.parametrize(
    ("replies", "problems"),
    [
        ({"/health/db": (200, b'{"status": true}'), "/health/readiness": (200, b'{"db": "connected"}')}, ("", "")),
        (
            {"/health/db": (500, b"{}"), "/health/readiness": (200, b'{"db": "Not connected"}')},
            ("answers 500", "does not say"),
        ),
    ],
)
def test_chat_and_gateway_say_whether_they_reach_their_databases(
    replies: dict[str, tuple[int, bytes]], problems: tuple[str, str]
) -> None:
    def answer(_host: str, path: str) -> Reply:
        status, body = replies[path]
        return status, {}, body

    with serving(answer) as port:
        cluster = Cluster(port)
        checks = [check(cast("Kubectl", cluster), user) for user in (CHAT, GATEWAY)]
    assert cluster.asked == [("chat", "open-webui", 80), ("gateway", "litellm", 4000)]
    for found, problem in zip(checks, problems, strict=True):
        assert problem in found.problem
        assert bool(problem) == bool(found.problem)
