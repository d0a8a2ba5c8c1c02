"""Opik upgraded from the command line, with the real Terraform, and what happens when a step fails."""

from datetime import UTC, datetime

import pytest

from scripts.core.errors import ExitCode
from scripts.deployment.image_step import ImageStep
from tests.support.cli.operated_environment import Operated
from tests.support.opik.frontend import frontend
from tests.support.opik.operated import LEDGER, backups, refused, runs, upgraded

pytestmark = pytest.mark.programs


def test_an_upgrade_backs_up_deploys_and_leaves_the_version_in_the_file(operated: Operated) -> None:
    before = operated.text
    result = upgraded(operated, "2.1.30")
    assert result.exit_code == ExitCode.OK, result.output
    assert backups(operated.tools) == 5
    assert operated.text == before + "\nopik:\n  version: 2.1.30\n"
    assert "version: 2.1.30" in operated.deployed("platform")
    assert "2.1.30" not in operated.deployed("identity")
    assert "pip install opik==2.1.30" in result.stdout


def test_the_backup_comes_before_anything_else_and_its_failure_stops_all(operated: Operated) -> None:
    before, state = operated.text, operated.deployed("platform")
    operated.tools.write("refuse-llm-dev-mysql", "")
    error = refused(operated, "upgrade", "2.1.30", "dev", "--yes")
    assert "not every disk could be backed up" in error.message
    assert (operated.text, operated.deployed("platform")) == (before, state)


def test_an_operator_may_go_on_without_a_backup(operated: Operated) -> None:
    assert upgraded(operated, "2.1.30", "--skip-backup").exit_code == ExitCode.OK
    assert backups(operated.tools) == 0


def test_without_anybody_to_ask_not_even_a_backup_is_made(operated: Operated) -> None:
    error = refused(operated, "upgrade", "2.1.30", "dev")
    assert error.code == ExitCode.REFUSED
    assert backups(operated.tools) == 0


@pytest.mark.parametrize(
    ("version", "code"), [("2.1.22", ExitCode.REFUSED), ("1.9.0", ExitCode.REFUSED), ("latest", ExitCode.USAGE)]
)
def test_a_version_that_cannot_follow_is_refused_before_anything(
    operated: Operated, version: str, code: ExitCode
) -> None:
    assert refused(operated, "upgrade", version, "dev", "--yes").code == code
    assert backups(operated.tools) == 0


def test_a_plan_that_fails_leaves_file_and_lock_as_they_were(operated: Operated) -> None:
    operated.lock.write_text("{}")
    before = operated.text

    def bring(*_arguments: object) -> bool:
        operated.lock.write_text('{"new": true}')
        return True

    operated.images = ImageStep(pending=lambda _name: ["opik/backend"], bring=bring)
    operated.broken = {"input": "${terraform_data.missing.id}"}
    assert "planning failed: platform" in refused(operated, "upgrade", "2.1.30", "dev", "--yes").message
    assert operated.text == before
    assert operated.lock.read_text() == "{}"


def test_a_deployment_that_fails_keeps_the_version_and_says_how_to_go_back(operated: Operated) -> None:
    operated.broken = {
        "lifecycle": {"postcondition": [{"condition": "${self.output == timestamp()}", "error_message": "no"}]}
    }
    error = refused(operated, "upgrade", "2.1.30", "dev", "--yes")
    assert "Opik 2.1.30 is not deployed" in error.message
    assert "llmctl opik rollback dev" in error.fix
    assert "version: 2.1.30" in operated.text


def test_a_plan_that_loses_something_is_no_upgrade(operated: Operated) -> None:
    before = operated.text
    operated.broken = {"triggers_replace": ["x"]}
    error = refused(operated, "upgrade", "2.1.30", "dev", "--yes")
    assert "destroyed or replaced" in error.message
    assert operated.text == before


def test_a_server_that_does_not_become_healthy_fails_the_upgrade_with_the_way_back(operated: Operated) -> None:
    operated.tools.write("exec-opik-mysql-0", LEDGER["2.1.30"])
    with frontend(operated.tools, version="2.1.23"):
        error = refused(operated, "upgrade", "2.1.30", "dev", "--yes")
    assert "deployed but not healthy" in error.message
    assert "llmctl opik rollback dev" in error.fix


def test_a_migration_that_was_passed_over_fails_the_upgrade_though_all_is_healthy(operated: Operated) -> None:
    """Upstream's script ends well when MySQL's migrations fail, and the server starts on half a schema."""
    runs(operated, "2.1.30")
    operated.tools.write("exec-opik-mysql-0", LEDGER["2.1.30"])
    with frontend(operated.tools, version="2.1.31"):
        error = refused(operated, "upgrade", "2.1.31", "dev", "--yes")
    assert "Opik 2.1.31 runs on a schema that lacks 1 of its migrations\n  MySQL 000003_c" in error.message
    assert "-c backend-migrations" in error.fix
    assert "llmctl opik rollback dev" in error.fix


def test_a_migration_of_clickhouse_that_was_passed_over_is_named_too(operated: Operated) -> None:
    operated.tools.write("exec-opik-mysql-0", LEDGER["2.1.30"])
    operated.tools.write("exec-chi-opik-clickhouse-cluster-0-0-0", "other\tthing\n")
    with frontend(operated.tools, version="2.1.30"):
        assert "ClickHouse x" in refused(operated, "upgrade", "2.1.30", "dev", "--yes").message


@pytest.mark.parametrize(
    ("now", "said"),
    [
        (datetime(2026, 7, 18, 23, 30, tzinfo=UTC), "opens in 90 minutes"),
        (datetime(2026, 7, 19, 1, 0, tzinfo=UTC), "is open"),
        (datetime(2026, 7, 19, 6, 59, tzinfo=UTC), "is open"),
    ],
)
def test_no_upgrade_begins_where_nodes_may_be_replaced_meanwhile(operated: Operated, now: datetime, said: str) -> None:
    operated.now = now
    error = refused(operated, "upgrade", "2.1.30", "dev", "--yes")
    assert f"the maintenance window (Sunday 01:00 +00:00) {said}" in error.message
    assert error.code == ExitCode.REFUSED
    assert backups(operated.tools) == 0
    assert said in refused(operated, "rollback", "dev", "--yes").message


def test_an_operator_may_upgrade_near_the_maintenance_all_the_same(operated: Operated) -> None:
    operated.now = datetime(2026, 7, 19, 2, tzinfo=UTC)
    assert upgraded(operated, "2.1.30", "--skip-backup", "--near-maintenance").exit_code == ExitCode.OK
