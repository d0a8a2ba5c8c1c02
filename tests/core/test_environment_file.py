"""Single values of an environment file changed, and every other character kept."""

import difflib
from pathlib import Path

import pytest

from scripts.core.environment_file import edited, with_value
from scripts.core.errors import ExitCode, OperatorError
from scripts.core.workspace import ROOT
from tests.support.cli.environment_folder import use_environments

FILES = ["dev", "prod"]


def changed_lines(before: str, after: str) -> list[str]:
    rows = difflib.ndiff(before.splitlines(), after.splitlines())
    return [row for row in rows if row[:2] in ("+ ", "- ")]


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "dev.yaml"
    path.write_text((ROOT / "environments" / "dev.yaml").read_text("utf-8"), "utf-8")
    use_environments(tmp_path, monkeypatch)
    return path


@pytest.mark.parametrize("name", FILES)
def test_a_changed_value_is_one_changed_line(name: str) -> None:
    text = (ROOT / "environments" / f"{name}.yaml").read_text("utf-8")
    gone, new = changed_lines(text, with_value(text, ("domain",), "llm.acme.io"))
    assert gone.startswith("- domain: ")
    assert new == "+ domain: llm.acme.io"


@pytest.mark.parametrize("name", FILES)
def test_a_new_value_only_adds_lines_and_its_next_change_is_one_line(name: str) -> None:
    text = (ROOT / "environments" / f"{name}.yaml").read_text("utf-8")
    first = with_value(text, ("opik", "version"), "2.1.30")
    assert all(row.startswith("+ ") for row in changed_lines(text, first))
    assert changed_lines(first, with_value(first, ("opik", "version"), "2.1.31")) == [
        "-   version: 2.1.30",
        "+   version: 2.1.31",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: 1\nopik:\n    enabled: true # on\n    # tail\nb: [1]\n",
         "a: 1\nopik:\n    enabled: true # on\n    version: 2.1.30\n    # tail\nb: [1]\n"),
        ("opik: {enabled: true} # on\n", "opik: {enabled: true, version: 2.1.30} # on\n"),
        ("opik: {}\n", "opik: {version: 2.1.30}\n"),
        ("opik:\n  version: '2.1.2' # old\n", "opik:\n  version: 2.1.30 # old\n"),
        ("opik:\n  deep:\n    - 1\nc: 2", "opik:\n  deep:\n    - 1\n  version: 2.1.30\nc: 2\n"),
        ("a: 1", "a: 1\n\nopik:\n  version: 2.1.30\n"),
    ],
)  # fmt: skip
def test_every_way_to_write_a_section_is_kept(text: str, expected: str) -> None:
    assert with_value(text, ("opik", "version"), "2.1.30") == expected


@pytest.mark.parametrize("text", ["", "- 1\n", "opik: 3\n", "opik:\n", "opik:\n  version: [1]\n", "a: [\n"])
def test_what_holds_no_such_mapping_is_refused(text: str) -> None:
    with pytest.raises(OperatorError) as refusal:
        with_value(text, ("opik", "version"), "2.1.30")
    assert refusal.value.code == ExitCode.SETTINGS


def test_a_value_that_breaks_a_rule_never_reaches_the_file(file: Path) -> None:
    before = file.read_text("utf-8")
    with pytest.raises(OperatorError, match="domain"), edited("dev", ("domain",), "Not_A_Domain"):
        pytest.fail("was let in")
    assert file.read_text("utf-8") == before


def test_a_change_that_is_not_kept_is_taken_back_also_after_a_failure(file: Path) -> None:
    before = file.read_text("utf-8")
    seen = ""

    def fail() -> None:
        nonlocal seen
        with edited("dev", ("domain",), "llm.acme.io"):
            seen = file.read_text("utf-8")
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert "domain: llm.acme.io" in seen
    assert file.read_text("utf-8") == before


def test_a_change_that_is_kept_stays_with_the_files_permissions(file: Path) -> None:
    file.chmod(0o640)
    with edited("dev", ("domain",), "llm.acme.io") as change:
        change.keep()
    assert "domain: llm.acme.io" in file.read_text("utf-8")
    assert file.stat().st_mode & 0o777 == 0o640
    assert list(file.parent.iterdir()) == [file]


def test_somebody_elses_edit_meanwhile_is_not_taken_back(file: Path) -> None:
    with edited("dev", ("domain",), "llm.acme.io"):
        file.write_text(file.read_text("utf-8") + "# mine\n", "utf-8")
    assert file.read_text("utf-8").endswith("# mine\n")
