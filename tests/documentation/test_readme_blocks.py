"""Every block of the README starts on a machine that has git, Python and Terraform, and an empty home folder."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BLOCKS = re.findall(r"^```sh\n(.*?)^```$", (ROOT / "README.md").read_text("utf-8"), re.MULTILINE | re.DOTALL)
OWNED = {"az"}
"""Programs that the page tells to install."""


def _programs(block: str) -> list[str]:
    """Return what a block starts, by its first words, in order."""
    return [words[0] for line in block.splitlines() if (words := shlex.split(line, comments=True))]


def test_the_readme_has_blocks_for_trying_making_deploying_and_every_day() -> None:
    assert len(BLOCKS) >= 4
    assert any("cdktf deploy network aks platform" in block for block in BLOCKS)
    assert not any("pipenv" in block for block in BLOCKS)


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.split("\n", 1)[0][:40])
def test_every_program_of_a_block_is_there_when_its_line_comes(block: str, tmp_path: Path) -> None:
    steps = []
    for line, program in zip(filter(str.strip, block.splitlines()), _programs(block), strict=True):
        if program in {"source", "export"}:
            steps.append(line.replace(".venv/", f"{shlex.quote(sys.prefix)}/"))
        elif program not in OWNED:
            steps.append(f"command -v {shlex.quote(program)} || echo 'MISSING {program}'")
    done = subprocess.run(
        ["/bin/bash", "--noprofile", "--norc", "-ec", "\n".join(steps)],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert [line for line in done.stdout.splitlines() if line.startswith("MISSING")] == []
    assert list(tmp_path.iterdir()) == []
