"""Releases of Opik with their migrations, and `llmctl opik` on an environment that runs one of them."""

from pathlib import Path

from typer.testing import CliRunner, Result

from scripts.cli.opik import commands as opik
from scripts.core.errors import OperatorError
from scripts.opik.changelog import ChangeSet, ChangeSetId, changelog
from scripts.opik.migrations import Changelogs
from scripts.opik.source import changelog_at
from scripts.opik.versions import Version
from stacks.platform.common.catalogue import Build, Image
from tests.support.cli.fake_tools import Tools
from tests.support.cli.helm_history import revision
from tests.support.cli.operated_environment import Operated

from .frontend import frontend

ADDS = "ALTER TABLE a ADD COLUMN b INT;\n--rollback ALTER TABLE a DROP COLUMN b;"
DROPS = "ALTER TABLE a DROP COLUMN b;\n--rollback empty"
RELEASES = {
    "2.1.23": {"000001_a": "CREATE TABLE a (c INT);"},
    "2.1.30": {"000002_b": ADDS},
    "2.1.31": {"000003_c": DROPS},
}
LEDGER = {
    "2.1.23": "me\t000001_a\n",
    "2.1.30": "me\t000001_a\nme\t000002_b\n",
    "2.1.31": "me\t000001_a\nme\t000002_b\nme\t000003_c\n",
}


def runs(operated: Operated, *versions: str, failed: str = "") -> None:
    """Let the cluster say that these versions were deployed in this order."""
    entries = [revision(number, version, "superseded") for number, version in enumerate(versions[:-1], 1)]
    if failed:
        entries.append(revision(98, failed, "failed"))
    operated.tools.items("secrets,configmaps", *entries, revision(99, versions[-1], "deployed"))
    operated.tools.write("exec-opik-mysql-0", LEDGER[max(*versions, failed or versions[-1])])
    operated.tools.write("exec-chi-opik-clickhouse-cluster-0-0-0", "you\tx\n")


def run(operated: Operated, *words: str) -> Result:
    return CliRunner().invoke(opik.app, words, obj=operated.command_tools)


def refused(operated: Operated, *words: str) -> OperatorError:
    result = run(operated, *words)
    assert isinstance(result.exception, OperatorError), result.output
    return result.exception


def backups(tools: Tools) -> int:
    return sum("adhoc-backup" in call for call in tools.calls)


def upgraded(operated: Operated, version: str, *options: str) -> Result:
    operated.tools.write("exec-opik-mysql-0", LEDGER[version])
    with frontend(operated.tools, version=version):
        return run(operated, "upgrade", version, "dev", "--yes", *options)


def changelogs_from(url: str, cache: Path) -> Changelogs:
    """Return what reads a release's migrations out of the repository at `url`, and one of ClickHouse with each."""

    def changelogs(version: Version) -> dict[ChangeSetId, ChangeSet]:
        analytics = {"db-app-analytics/x.sql": "--changeset you:x\nCREATE TABLE x (y String);"}
        return changelog_at(version, cache, backend_of(url)) | changelog(analytics)

    return changelogs


def backend_of(url: str) -> dict[str, Image]:
    """Return the image of the backend, built from the repository at `url`."""
    return {"opik/backend": Image(repository="r", tag="2.1.23", build=Build(git=url, context="apps/opik-backend"))}
