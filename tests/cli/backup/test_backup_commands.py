"""`llmctl backup`: what is printed, asked and refused."""

import json
from typing import Any

from typer.testing import CliRunner, Result

from scripts.cli.backup import commands
from scripts.core.errors import ExitCode, OperatorError
from tests.support.backup.environment import Backed

SET = "20261130t030000z"


def run(backed: Backed, *words: str) -> Result:
    opened = backed.opened()
    return CliRunner().invoke(commands.app, list(words), obj=opened)


def printed(backed: Backed, *words: str) -> Any:
    done = run(backed, *words, "--json")
    assert done.exit_code == 0, done.exception
    return json.loads(done.stdout)


def failure(done: Result) -> OperatorError:
    assert isinstance(done.exception, OperatorError), done.output
    return done.exception


def test_sets_are_listed_with_age_size_and_why_they_stay() -> None:
    backed = Backed()
    backed.making().run()
    done = run(backed, "list", "dev")
    line = done.stdout.splitlines()[0]
    assert line.startswith(f"{SET}    0 h  256 GiB of disks, at most 12.80 USD a month  not verified, kept: newest; ")
    assert "1000 traces" in line
    assert "10 to 12 users" in line
    together = "Together at most 12.80 USD a month (list prices of this release, eastus, 2026-11-30)."
    assert together in run(backed, "list", "dev", "--offline").stdout
    (one,) = printed(backed, "list", "dev")["sets"]
    assert (one["id"], one["size_gib"], one["kept"], one["usd_a_month_at_most"]) == (SET, 256, "newest", 12.8)


def test_snapshots_of_a_failed_attempt_are_told() -> None:
    backed = Backed()
    backed.making().run()
    backed.azure.blobs.clear()
    assert printed(backed, "list", "dev") == {"sets": [], "incomplete": [SET]}
    assert f"{SET}: 5 snapshots without a manifest" in run(backed, "list", "dev").stderr


def test_an_old_newest_set_fails_for_a_schedule_to_notice() -> None:
    backed = Backed()
    assert "there is no backup set" in failure(run(backed, "list", "dev", "--max-age-hours", "36")).message
    backed.making().run()
    assert run(backed, "list", "dev", "--max-age-hours", "36").exit_code == 0
    backed.time.at += 36 * 3600 + 60
    assert "36 hours old; at most 36 hours" in failure(run(backed, "list", "dev", "--max-age-hours", "36")).message


def test_one_set_is_shown_with_all_its_parts() -> None:
    backed = Backed()
    backed.making().run()
    shown = run(backed, "show", "dev", "latest").stdout
    for text in (
        f"Set {SET} of dev",
        f"disk mysql: llm-dev-mysql, 32 GiB, snapshot llm-dev-mysql-{SET}",
        "database: llm-dev-pg-46cy3 at 2026-11-30T03:0",
        "uploads: share chat-uploads",
        "vault: 2 versions of secrets in llm-dev-46cy3",
        "checkout: aaaaaaaaaaaa",
        "not verified: llmctl backup verify dev",
        "costs at most 12.80 USD a month (list prices of this release",
    ):
        assert text in shown
    assert printed(backed, "show", "dev")["id"] == SET


def test_a_set_that_is_not_there_is_named() -> None:
    assert (
        "there is no backup set 20260101t000000z" in failure(run(Backed(), "show", "dev", "20260101t000000z")).message
    )
    assert "there is no backup set latest" in failure(run(Backed(), "show", "dev")).message


def test_verifying_notes_it_in_the_manifest_and_keeps_the_version_before() -> None:
    backed = Backed()
    backed.making().run()
    assert printed(backed, "verify", "dev")["verified"].startswith("2026-11-30T03:")
    first, second = backed.azure.blobs[f"sets/{SET}.json"]
    assert json.loads(first)["verified"] is None
    assert json.loads(second)["verified"]


def test_a_set_that_is_not_whole_is_not_noted_as_verified() -> None:
    backed = Backed()
    backed.making().run()
    backed.azure.share_snapshots.clear()
    assert f"the set {SET} is not whole" in failure(run(backed, "verify", "dev")).message
    assert len(backed.azure.blobs[f"sets/{SET}.json"]) == 1


def with_three_sets() -> Backed:
    backed = Backed("backups: {keep_daily: 1, keep_weekly: 0, keep_monthly: 0}\n")
    for _ in range(3):
        backed.making().run()
        backed.time.at += 24 * 3600
    assert len(backed.azure.blobs) == 3
    return backed


def test_pruning_names_what_goes_and_asks_for_the_name() -> None:
    backed = with_three_sets()
    refused = failure(CliRunner().invoke(commands.app, ["prune", "dev", "--confirm", "prod"], obj=backed.opened()))
    assert refused.code == ExitCode.REFUSED
    assert len(backed.azure.blobs) == 3

    done = run(backed, "prune", "dev", "--confirm", "dev")
    assert done.exit_code == 0, done.exception
    assert "5 snapshots, 256 GiB of disks" in done.stdout
    assert len(backed.azure.blobs) == 1
    assert len(backed.azure.snapshots) == 5
    assert backed.azure.locks == set(backed.azure.snapshots)
    assert len(backed.azure.share_snapshots) == 1


def test_a_dry_run_deletes_nothing() -> None:
    backed = with_three_sets()
    found = printed(backed, "prune", "dev", "--dry-run")
    assert len(found["deleted"]) == 2
    assert found["done"] is False
    assert len(backed.azure.blobs) == 3
    assert not backed.azure.commands("snapshot", "delete")


def test_nobody_there_to_ask_deletes_nothing() -> None:
    backed = with_three_sets()
    assert failure(run(backed, "prune", "dev")).code == ExitCode.REFUSED
    assert len(backed.azure.blobs) == 3


def test_an_interrupted_pruning_goes_on() -> None:
    backed = with_three_sets()

    def fail(call: tuple[str, ...]) -> None:
        if call[:2] == ("snapshot", "delete") and len(backed.azure.commands("snapshot", "delete")) == 3:
            raise OperatorError("the network is gone")

    backed.azure.before = fail
    assert "network" in failure(run(backed, "prune", "dev", "--confirm", "dev")).message
    assert len(backed.azure.blobs) == 3, "the manifest goes last"
    backed.azure.before = lambda _call: None
    assert run(backed, "prune", "dev", "--confirm", "dev").exit_code == 0
    assert (len(backed.azure.blobs), len(backed.azure.snapshots)) == (1, 5)


def test_writes_are_brought_back_by_hand() -> None:
    backed = Backed()
    assert "are not stopped" in run(backed, "resume", "dev").stdout
    backed.quiescence._stop(SET)
    assert f"they were stopped for the set {SET}" in run(backed, "resume", "dev").stdout
    assert backed.kubectl.replicas["opik-backend"] == 3
