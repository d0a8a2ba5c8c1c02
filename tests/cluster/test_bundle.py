"""A program of several modules is one text, which needs no files where it runs."""

import subprocess
import sys
from pathlib import Path

import pytest

from scripts.applications.adoption import copying, uploads
from scripts.applications.privacy import person
from scripts.backup import counts
from scripts.cluster.bundle import bundled
from scripts.cluster.pod_program import START, ByCommand

FILES = {
    "walls": "colour = 'white'",
    "rooms": "from house.walls import colour\ndef kitchen():\n    return colour",
    "program": "import json\nfrom house.rooms import kitchen\nfrom house.walls import colour\n"
    "print(json.dumps({'kitchen': kitchen(), 'given': PARAMETERS['door'], 'name': __name__}))",
}


def test_modules_of_a_program_import_each_other_by_their_names(tmp_path: Path) -> None:
    house = tmp_path / "house"
    house.mkdir()
    for name, text in FILES.items():
        (house / f"{name}.py").write_text(text, encoding="utf-8")
    program = bundled("house.program", tmp_path)
    run = ByCommand([sys.executable, "-I", "-c", START], "a pod")
    assert list(run(program, {"door": "open"})) == [{"kitchen": "white", "given": "open", "name": "__main__"}]


@pytest.mark.parametrize("program", [copying.PROGRAM, uploads.PROGRAM, person.PROGRAM, counts.PROGRAM])
def test_every_program_of_a_pod_finds_what_it_imports_without_the_project(program: str, tmp_path: Path) -> None:
    load = "import sys; exec(compile(sys.stdin.read(), 'program', 'exec'), {'__name__': 'loaded'})"
    done = subprocess.run(
        [sys.executable, "-I", "-c", load],
        input=bundled(program),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
