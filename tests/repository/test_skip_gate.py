"""Under CI nothing is skipped that the named list does not allow."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.skip_gate import allowed_skips

ROOT = Path(__file__).parents[2]
MODULE = """
import pytest

def test_runs():
    pass

@pytest.mark.skipif(True, reason="{reason}")
def test_is_skipped():
    pass
"""
WHOLE_MODULE = """
import pytest

pytest.skip("{reason}", allow_module_level=True)
"""


def run(folder: Path, source: str, ci: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    (folder / "below").mkdir(exist_ok=True)
    (folder / "below" / "conftest.py").write_text("")
    (folder / "below" / "test_made_up.py").write_text(source)
    command = [sys.executable, "-m", "pytest", "-p", "tests.support.skip_gate", "-p", "no:cacheprovider"]
    return subprocess.run(
        [*command, *arguments, f"--rootdir={folder}", "-c", "/dev/null", str(folder)],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "CI": ci, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("source", [MODULE, WHOLE_MODULE], ids=["test", "module"])
@pytest.mark.parametrize("workers", [(), ("-n", "1")], ids=["alone", "parallel"])
def test_a_skip_that_is_not_named_fails_ci(tmp_path: Path, source: str, workers: tuple[str, ...]) -> None:
    done = run(tmp_path, source.format(reason="a program is missing"), "true", *workers)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "SKIPPED IN CI: 1 tests, first below/test_made_up.py" in done.stdout
    assert "a program is missing" in done.stdout


def test_a_developer_may_skip(tmp_path: Path) -> None:
    assert run(tmp_path, MODULE.format(reason="a program is missing"), "").returncode == 0


def test_named_skips_pass_and_only_with_their_own_reason() -> None:
    allowed = allowed_skips()
    assert allowed

    def covered(nodeid: str, reason: str) -> bool:
        return any(entry.covers(nodeid, reason) for entry in allowed)

    assert covered("tests/components/opik/test_helm_opik.py::test_x[dev]", "neither CHARTS_DIR nor PULL_CHARTS is set")
    assert not covered("tests/components/opik/test_helm_opik.py::test_x[dev]", "helm is not on PATH")
    assert not covered("other/test_x.py::test_x", "neither CHARTS_DIR nor PULL_CHARTS is set")


def test_every_named_skip_gives_a_reason_of_its_own() -> None:
    for entry in allowed_skips():
        assert len(entry.because.split()) > 5, entry
