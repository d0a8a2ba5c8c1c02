"""Synthesized files that are damaged, as a killed run or another tool leaves them, end a command in one sentence."""

from pathlib import Path

import pytest

from scripts.core.errors import ExitCode, OperatorError
from scripts.core.processes import Processes
from scripts.terraform.synthesis import synthesize
from tests.support.cli.terraform_projects import write_project

MANIFEST, STACK = "manifest.json", "stacks/disks/cdk.tf.json"


@pytest.mark.parametrize("file", [MANIFEST, STACK])
@pytest.mark.parametrize("content", [b"", b'{"stacks": {"di', b"\xff", b"[]", b"null"], ids=repr)
def test_a_damaged_file_is_one_sentence_with_the_command_that_writes_it_anew(
    file: str, content: bytes, tmp_path: Path
) -> None:
    workspace = write_project(tmp_path)
    (workspace.output / file).write_bytes(content)
    with pytest.raises(OperatorError) as refusal:
        workspace.stacks()
    assert str(workspace.output) in refusal.value.message
    assert "`llmctl synth dev`" in refusal.value.fix
    assert refusal.value.code == ExitCode.NOT_READY


def test_a_folder_in_place_of_a_file_and_a_stack_that_is_gone_are_the_same(tmp_path: Path) -> None:
    workspace = write_project(tmp_path)
    (workspace.output / STACK).unlink()
    with pytest.raises(OperatorError, match="is damaged"):
        workspace.stacks()
    (workspace.output / MANIFEST).unlink()
    (workspace.output / MANIFEST).mkdir()
    with pytest.raises(OperatorError, match="is damaged"):
        workspace.stacks()


def test_what_lies_among_the_stacks_and_is_none_is_removed_whatever_it_is(tmp_path: Path) -> None:
    workspace = write_project(tmp_path)
    stacks = workspace.output / "stacks"
    (stacks / "old").mkdir()
    (stacks / ".DS_Store").write_bytes(b"\0")
    program = tmp_path / "main.py"
    program.write_text("print('nothing new')\n")
    synthesize(workspace, Processes(), program)
    assert {each.name for each in stacks.iterdir()} == set(workspace.stacks())
