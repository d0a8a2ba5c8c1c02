"""Providers are forked by a process that has everything imported, and serve by themselves without it."""

import shutil
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from scripts.core.workspace import ROOT
from scripts.lab.rehearsal.fake_provider.protocol.fork_server import VARIABLE
from tests.support.programs.processes import wait_for
from tests.support.rehearsal.two_configurations import Project

BEGUN = """
import sys, tempfile
from pathlib import Path
from scripts.lab.rehearsal.mirror import prepare
print(prepare(Path(sys.argv[1]))["REHEARSAL_FORKS"], flush=True)
sys.stdin.read()
"""


def waiting_at(path: str) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        try:
            if path in process.cmdline():
                found.append(process)
        except psutil.Error:
            continue
    return found


@pytest.mark.slow
@pytest.mark.parametrize("how", ["ended", "killed"])
def test_it_ends_with_the_process_that_began_it(tmp_path: Path, how: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", BEGUN, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as process:
        assert process.stdin
        assert process.stdout
        path = process.stdout.readline().strip()
        wait_for(lambda: Path(path).exists(), 120, lambda: f"nothing listens at {path}")
        (server,) = waiting_at(path)
        if how == "killed":
            process.kill()
        else:
            process.stdin.close()
    psutil.wait_procs([server], timeout=120)
    assert waiting_at(path) == []
    assert not Path(path).parent.exists()


@pytest.mark.rehearsal
@pytest.mark.skipif(not shutil.which("terraform"), reason="needs terraform")
@pytest.mark.parametrize("forks", ["", "/nowhere"], ids=["forked", "by itself"])
def test_both_ways_are_the_same_to_terraform(tmp_path: Path, forks: str) -> None:
    project = Project(tmp_path)
    if forks:
        project.environment[VARIABLE] = forks
    else:
        wait_for(lambda: Path(project.environment[VARIABLE]).exists(), 120, lambda: "nothing is forked")
    project.apply("base")
    project.unchanged("base")
    project.fault(resource="azurerm_resource_group", on="read", message="the group is on fire")
    assert "the group is on fire" in project.run("base", "plan", status=1)
