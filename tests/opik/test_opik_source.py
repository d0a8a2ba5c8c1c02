"""Opik's migrations are read from the source that is built."""

from pathlib import Path

import pytest

from scripts.images.sources.tagged import MovedTagError
from scripts.opik.changelog import FOLDER
from scripts.opik.source import changelog_at
from scripts.opik.versions import Version
from stacks.platform.common.catalogue import Build, Image
from tests.support.images.sources import commit, git

CHANGE = "--liquibase formatted sql\n--changeset someone:000042_change\n\nCREATE TABLE a (id INT);\n"


def released(folder: Path, tag: str, sql: str = CHANGE) -> str:
    (folder / FOLDER / "db-app-state").mkdir(parents=True, exist_ok=True)
    (folder / FOLDER / "db-app-state" / "000042_change.sql").write_text(sql)
    if not (folder / ".git").exists():
        git(folder, "init", "--quiet")
    commit(folder, tag)
    return git(folder, "rev-parse", "HEAD")


def test_migrations_of_the_pinned_version_come_from_its_commit_and_others_from_their_tag(tmp_path: Path) -> None:
    folder = tmp_path / "source"
    pinned_commit = released(folder, "2.1.23")
    build = Build(git=str(folder), context="apps/opik-backend", commit=pinned_commit)
    pinned = {"opik/backend": Image(repository="r", tag="2.1.23", build=build)}
    assert len(changelog_at(Version(2, 1, 23), tmp_path / "one", pinned)) == 1
    released(folder, "2.1.24", CHANGE + "--changeset someone:000043_more\n\nCREATE TABLE b (id INT);\n")
    assert len(changelog_at(Version(2, 1, 24), tmp_path / "one", pinned)) == 2
    git(folder, "tag", "--force", "2.1.23")
    with pytest.raises(MovedTagError, match=f"pins {pinned_commit}"):
        changelog_at(Version(2, 1, 23), tmp_path / "two", pinned)
