"""Opik rolled back from the command line, with the real Terraform, and when that is refused."""

from pathlib import Path

import pytest

from scripts.core.errors import ExitCode
from tests.support.cli.operated_environment import Operated
from tests.support.opik.frontend import frontend
from tests.support.opik.operated import LEDGER, backups, changelogs_from, refused, run, runs, upgraded

pytestmark = pytest.mark.programs


def test_a_rollback_goes_to_the_version_before_where_everything_since_only_added(operated: Operated) -> None:
    assert upgraded(operated, "2.1.30").exit_code == ExitCode.OK
    runs(operated, "2.1.23", "2.1.30")
    with frontend(operated.tools, version="2.1.23"):
        result = run(operated, "rollback", "dev", "--yes")
    assert result.exit_code == ExitCode.OK, result.output
    assert "version: 2.1.23" in operated.text
    assert "version: 2.1.23" in operated.deployed("platform")
    assert backups(operated.tools) == 10


def test_a_rollback_over_a_migration_that_cannot_be_undone_is_refused_with_what_to_restore(operated: Operated) -> None:
    runs(operated, "2.1.30", "2.1.31")
    before = operated.text
    error = refused(operated, "rollback", "dev", "--yes")
    assert error.code == ExitCode.REFUSED
    assert "MySQL 000003_c: it does more than add: ALTER TABLE a DROP COLUMN b" in error.message
    assert "restore all five disks" in error.fix
    assert "opik.version: 2.1.30" in error.fix
    assert operated.text == before
    assert backups(operated.tools) == 0


def test_a_migration_that_never_ran_is_no_obstacle(operated: Operated) -> None:
    runs(operated, "2.1.30", "2.1.31")
    operated.tools.write("exec-opik-mysql-0", LEDGER["2.1.30"])
    with frontend(operated.tools, version="2.1.30"):
        assert run(operated, "rollback", "dev", "--yes").exit_code == ExitCode.OK


def test_without_the_databases_the_worst_is_assumed(operated: Operated) -> None:
    runs(operated, "2.1.23", "2.1.31")
    (operated.tools.folder / "exec-opik-mysql-0").unlink()
    assert "000003_c" in refused(operated, "rollback", "dev", "--yes").message
    runs(operated, "2.1.23", "2.1.30")
    (operated.tools.folder / "exec-opik-mysql-0").unlink()
    with frontend(operated.tools, version="2.1.23"):
        error = refused(operated, "rollback", "dev", "--yes")
    # It went back, and says that nobody knows yet whether the schema is whole.
    assert "version: 2.1.23" in operated.deployed("platform")
    assert "have migrated cannot be read" in error.message


def test_without_the_source_nothing_is_known_and_nothing_is_done(operated: Operated, tmp_path: Path) -> None:
    runs(operated, "2.1.23", "2.1.30")
    operated.changelogs = changelogs_from(f"file://{tmp_path / 'gone'}", tmp_path / "cache")
    assert refused(operated, "rollback", "dev", "--yes").code == ExitCode.NOT_READY
    assert backups(operated.tools) == 0


def test_after_an_upgrade_that_helm_took_back_the_file_follows_what_runs(operated: Operated) -> None:
    operated.file.write_text(operated.text + "opik:\n  version: 2.1.30\n")
    runs(operated, "2.1.23", failed="2.1.30")
    with frontend(operated.tools, version="2.1.23"):
        assert run(operated, "rollback", "dev", "--yes").exit_code == ExitCode.OK
    assert "version: 2.1.23" in operated.text


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ((), "knows no version before"),
        (("--to", "2.1.20"), "oldest"),
        (("--to", "2.1.31"), "not older"),
    ],
)
def test_a_rollback_to_nowhere_is_refused(operated: Operated, options: tuple[str, ...], why: str) -> None:
    assert why in refused(operated, "rollback", "dev", "--yes", *options).message
