"""Opik's pods end in order, and migrations that fail are failures: the scripts, run by real shells."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from stacks.platform.common.catalogue import fixed_values
from stacks.platform.components.opik import application
from tests.support.patience import PATIENCE_S

COMPONENTS = fixed_values("opik")["component"]


def hook(component: str) -> list[str]:
    return list(COMPONENTS[component]["lifecycle"]["preStop"]["exec"]["command"])


@contextmanager
def container(folder: Path, program: str) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """Run what the image runs: a shell that starts `program` and waits for it; give over the shell and a note.

    The program writes the note when SIGTERM reaches it, as a server would save what it has.
    """
    note = folder / "ended"
    running = folder / "running"
    worker = folder / program
    shutil.copy("/bin/bash", worker)
    (folder / "server.sh").write_text(
        f"trap 'echo saved > {note}; exit 0' TERM\n: > {running}\nwhile :; do read -t 0.05 < <(:) || sleep 0.05; done\n"
    )
    entry = folder / "entrypoint.sh"
    entry.write_text(f"#!/bin/bash\n{worker} {folder}/server.sh\necho over >> {note}\n")
    process = subprocess.Popen(["/bin/bash", str(entry)], start_new_session=True)
    try:
        wait_until(running.exists)
        yield process, note
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def named(command: list[str], name: str, own: str) -> list[str]:
    """Let the hook look for a program of the test's own, so that no other process of this machine is meant."""
    assert name in command[-1]
    return [*command[:-1], command[-1].replace(name, own).replace("sleep 3", "sleep 0").replace("sleep 5", "sleep 0")]


@pytest.mark.parametrize(
    ("component", "name", "short"), [("backend", "= java", "= jv{}"), ("python-backend", "gunicorn*", "gu{}*")]
)
def test_the_server_behind_a_shell_ends_in_order_before_the_hook_does(
    component: str, name: str, short: str, tmp_path: Path
) -> None:
    # Not part of the test's own name, which has to be the same in every process of a parallel run.
    own = short.format(os.getpid())
    program = own.removeprefix("= ").removesuffix("*")
    with container(tmp_path, program) as (shell, note):
        subprocess.run(named(hook(component), name, own), check=False, timeout=PATIENCE_S)
        assert note.read_text().startswith("saved"), "the hook waits until the server has ended"
        assert shell.wait(PATIENCE_S) == 0
    assert note.read_text() == "saved\nover\n"


def test_without_the_hook_the_shell_keeps_sigterm_to_itself(tmp_path: Path) -> None:
    """What the hooks are for: bash as process 1 waits for its child, which hears nothing."""
    with container(tmp_path, f"jv{os.getpid()}") as (shell, note):
        shell.send_signal(signal.SIGTERM)
        shell.wait(PATIENCE_S)
        assert not note.exists()


PASSED_OVER = """#!/bin/bash
set -e
java -jar opik-backend.jar db migrate config.yml \\
  && java -jar opik-backend.jar dbAnalytics migrate config.yml

echo "Database migrations completed successfully"
"""
"""The shape of upstream's script (comet-ml/opik#6417)."""
BOTH_KEPT = """#!/bin/bash
java -jar opik-backend.jar db migrate config.yml
DB_EXIT=$?
java -jar opik-backend.jar dbAnalytics migrate config.yml
ANALYTICS_EXIT=$?
if [ $DB_EXIT -ne 0 ] || [ $ANALYTICS_EXIT -ne 0 ]; then exit 1; fi
echo "Database migrations completed successfully"
"""
"""The shape that it has later."""


@pytest.fixture(params=[PASSED_OVER, BOTH_KEPT], ids=["passed over", "both kept"])
def image(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    (tmp_path / "run_db_migrations.sh").write_text(request.param)
    java = tmp_path / "bin" / "java"
    java.parent.mkdir()
    java.write_text('#!/bin/sh\necho "$3" >> ran\n[ "$3" != "$FAILING" ]\n')
    java.chmod(0o755)
    return tmp_path


def migrate(image: Path, failing: str, command: list[str]) -> tuple[int, list[str]]:
    env = {"PATH": f"{image / 'bin'}:{os.environ['PATH']}", "FAILING": failing}
    done = subprocess.run(command, cwd=image, env=env, capture_output=True, check=False)
    return done.returncode, (image / "ran").read_text().split()


@pytest.mark.parametrize(
    ("failing", "ran"),
    [("db", ["db"]), ("dbAnalytics", ["db", "dbAnalytics"]), ("nothing", ["db", "dbAnalytics"])],
)
def test_migrations_that_fail_end_the_container_as_failed(failing: str, ran: list[str], image: Path) -> None:
    status, executed = migrate(image, failing, ["/bin/bash", "-c", application.MIGRATE])
    assert executed == ran
    assert (status == 0) == (failing == "nothing")


def test_upstreams_own_script_passes_a_failure_over(tmp_path: Path, image: Path) -> None:
    """Why the script is not run by itself."""
    if "DB_EXIT" not in (tmp_path / "run_db_migrations.sh").read_text():
        assert migrate(image, "db", ["/bin/bash", "run_db_migrations.sh"]) == (0, ["db"])
