"""Which version runs and which ran before, from Helm's own records."""

import base64

import pytest

from scripts.opik.history import newest_tried, previous, read_history, running
from scripts.opik.versions import Version
from tests.support.cli.helm_history import revision

V = Version.parse


def test_revisions_are_read_from_helms_secrets_in_their_order() -> None:
    history = read_history([revision(10, "2.1.30", "deployed"), revision(9, "2.1.23", "superseded")])
    assert [(entry.number, entry.version, entry.status) for entry in history] == [
        (9, V("2.1.23"), "superseded"),
        (10, V("2.1.30"), "deployed"),
    ]
    assert running(history) == V("2.1.30")
    assert previous(history) == V("2.1.23")


def test_a_change_of_values_is_no_change_of_version() -> None:
    entries = [(1, "2.1.23", "superseded"), (2, "2.1.30", "superseded"), (3, "2.1.30", "deployed")]
    history = read_history(revision(*entry) for entry in entries)
    assert previous(history) == V("2.1.23")


def test_a_failed_upgrade_that_helm_took_back_leaves_the_old_version_running() -> None:
    entries = [(1, "2.1.23", "superseded"), (2, "2.1.30", "failed"), (3, "2.1.23", "deployed")]
    history = read_history(revision(*entry) for entry in entries)
    assert running(history) == V("2.1.23")
    assert newest_tried(history) == V("2.1.30")
    assert previous(history) is None


def test_nothing_installed_is_no_version() -> None:
    assert running([]) is None
    assert previous([]) is None
    assert newest_tried([]) is None
    assert running(read_history([revision(1, "2.1.23", "failed")])) is None


@pytest.mark.parametrize("data", [{}, {"release": "%%"}, {"release": base64.b64encode(b"bm8gZ3ppcA==").decode()}, None])
def test_a_secret_that_helm_did_not_write_is_named_without_its_content(data: object) -> None:
    broken = revision(1, "2.1.23", "deployed") | {"data": data}
    with pytest.raises(ValueError, match=r"sh\.helm\.release\.v1\.opik\.v1 is no revision"):
        read_history([broken])
