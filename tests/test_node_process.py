"""jsii's Node process is not waited for, and answers as if it were."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from stacks.fast_bindings import MODE_VARIABLE, Mode, bundled_node

ROOT = Path(__file__).resolve().parent.parent
START = """
import os, sys
import stacks, cdktf, jsii
from jsii._runtime import kernel
process = kernel.provider._process
"""
APP = (
    START
    + """
app = cdktf.App(outdir="out")
stack = cdktf.TerraformStack(app, "stack")
"""
)


def run(folder: Path, program: str, mode: Mode = Mode.LAZY, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(ROOT), MODE_VARIABLE: mode, "JSII_NODE": str(bundled_node())}
    return subprocess.run(
        [sys.executable, "-c", program],
        env=environment | variables,
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def lines(folder: Path, program: str, mode: Mode = Mode.LAZY, **variables: str) -> list[str]:
    ended = run(folder, program, mode, **variables)
    assert ended.returncode == 0, ended.stderr
    assert ended.stderr == ""
    return ended.stdout.splitlines()


def test_nobody_waits_for_node_before_the_first_object(tmp_path: Path) -> None:
    program = START + "print(len(process.unread)); cdktf.App(outdir='.'); print(len(process.unread))"
    assert lines(tmp_path, program) == ["3", "0"]


def test_as_shipped_every_answer_of_node_is_waited_for(tmp_path: Path) -> None:
    assert lines(tmp_path, START + "print(hasattr(process, 'unread'))", Mode.AS_SHIPPED) == ["False"]


def test_a_package_that_node_cannot_load_is_told_before_the_first_object(tmp_path: Path) -> None:
    failed = run(tmp_path, START + "kernel.load('absent', '1.0.0', '/no/absent.tgz'); cdktf.App(outdir='.')")
    assert failed.returncode == 1
    assert failed.stderr.splitlines()[-1].startswith("RuntimeError: ENOENT: ")
    assert "/no/absent.tgz" in failed.stderr


def test_node_loads_a_resource_when_python_imports_it(tmp_path: Path) -> None:
    report = tmp_path / "loaded.json"
    recorder = tmp_path / "recorder.cjs"
    recorder.write_text(
        "process.on('exit', () => require('node:fs').writeFileSync("
        f"{json.dumps(str(report))}, JSON.stringify(Object.keys(require('node:module')._cache))));"
    )
    program = START + "from cdktf_cdktf_provider_random import pet; process.settle()"
    lines(tmp_path, program, NODE_OPTIONS=f'--require="{recorder}"')
    loaded = {Path(file).parts[-2] for file in json.loads(report.read_text()) if "provider-random" in file}
    assert "pet" in loaded
    assert "uuid" not in loaded


def test_python_talks_to_one_node_process_that_ends_with_it(tmp_path: Path) -> None:
    program = (
        START
        + """
import psutil
(node,) = psutil.Process().children(recursive=True)
print(node.pid)
"""
    )
    (pid,) = lines(tmp_path, program, TMPDIR=str(tmp_path))
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid), 0)
    assert list(tmp_path.iterdir()) == []


def test_node_starts_before_jsii_is_imported_and_ends_though_nobody_talks_to_it(tmp_path: Path) -> None:
    program = """
import sys
import stacks, psutil
from importlib.util import find_spec
find_spec("jsii")
(node,) = psutil.Process().children(recursive=True)
print("jsii" in sys.modules, node.pid)
"""
    ((imported, pid),) = (line.split() for line in lines(tmp_path, program, TMPDIR=str(tmp_path)))
    assert imported == "False"
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid), 0)
    assert list(tmp_path.iterdir()) == []


def test_a_jsii_that_looks_different_is_started_as_published(tmp_path: Path) -> None:
    program = "from stacks import node_program; node_program._PREFIX = 'other__'\n" + APP
    program += "print(type(process._process).__name__); app.synth()"
    assert lines(tmp_path, program, TMPDIR=str(tmp_path)) == ["Popen"]
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_another_node_is_started_as_published(tmp_path: Path) -> None:
    other = tmp_path / "node"
    other.symlink_to(str(bundled_node()))
    program = APP + "print(type(process._process).__name__); app.synth()"
    assert lines(tmp_path, program, JSII_NODE=str(other)) == ["Popen"]
    assert (tmp_path / "out" / "stacks" / "stack" / "cdk.tf.json").exists()


def test_python_and_node_never_wait_for_each_other_to_read(tmp_path: Path) -> None:
    program = (
        APP
        + """
for number in range(1000):
    cdktf.TerraformOutput(stack, f"output-{number % 500}", value="text " * 1000)
print(len(process.unread))
try:
    process.settle()
except RuntimeError as error:
    print(error)
app.synth()
"""
    )
    unread, message = lines(tmp_path, program)
    written = json.loads((tmp_path / "out" / "stacks" / "stack" / "cdk.tf.json").read_text())
    assert int(unread) >= 1000
    assert "There is already a Construct with name 'output-0'" in message
    assert len(written["output"]) == 500


def test_an_object_that_is_refused_is_told_with_the_next_answer_and_the_rest_goes_on(tmp_path: Path) -> None:
    program = (
        APP
        + """
cdktf.TerraformOutput(stack, "twice", value="1")
cdktf.TerraformOutput(stack, "twice", value="2")
cdktf.TerraformOutput(stack, "after", value="3")
try:
    stack.node
except RuntimeError as error:
    print(error, *error.__notes__, sep="\\n")
cdktf.TerraformOutput(stack, "later", value="4")
app.synth()
"""
    )
    message, note = lines(tmp_path, program)
    assert "There is already a Construct with name 'twice' in TerraformStack [stack]" in message
    assert "JSII_HOST_STACK_TRACES=1" in note
    written = json.loads((tmp_path / "out" / "stacks" / "stack" / "cdk.tf.json").read_text())
    assert set(written["output"]) == {"twice", "after", "later"}


def test_the_variable_that_the_note_names_shows_where_the_object_is_created(tmp_path: Path) -> None:
    program = (
        APP
        + """
def twice():
    cdktf.TerraformOutput(stack, "twice", value="1")
twice()
twice()
stack.node
"""
    )
    waited = [
        ", in twice" in run(tmp_path, program, Mode.LAZY, **variables).stderr
        for variables in ({}, {"JSII_HOST_STACK_TRACES": "1"})
    ]
    assert waited == [False, True]


def test_a_name_that_node_did_not_give_is_never_used_on(tmp_path: Path) -> None:
    program = (
        APP
        + """
process._next_number += 1
cdktf.TerraformOutput(stack, "output", value="1")
app.synth()
"""
    )
    failed = run(tmp_path, program)
    assert failed.returncode == 1
    assert "JSIIError: Node named cdktf.TerraformOutput@" in failed.stderr
    assert not list(tmp_path.rglob("cdk.tf.json"))


CALLBACK = (
    APP
    + """
@jsii.implements(cdktf.IAspect)
class AddOutput:
    def visit(self, node):
        if isinstance(node, cdktf.TerraformStack):
            for number in range(3):
                cdktf.TerraformOutput(node, f"seen-{number}", value=node.node.id)

cdktf.TerraformOutput(stack, "before", value="text")
cdktf.Aspects.of(stack).add(AddOutput())
cdktf.TerraformOutput(stack, "after", value="text")
app.synth()
"""
)


def test_python_objects_that_node_calls_make_objects_too(tmp_path: Path) -> None:
    written = []
    for mode in (Mode.LAZY, Mode.AS_SHIPPED):
        lines(tmp_path, CALLBACK, mode)
        written.append(json.loads((tmp_path / "out" / "stacks" / "stack" / "cdk.tf.json").read_text()))
    assert written[0] == written[1]
    assert set(written[0]["output"]) == {"before", "after", "seen-0", "seen-1", "seen-2"}


OWN_NODE = (
    APP
    + """
from constructs import Construct
asked = []

class Group(Construct):
    @property
    def node(self):
        asked.append(1)
        cdktf.TerraformOutput(stack, f"asked-{len(asked)}", value="text")
        return super().node

group = Group(stack, "group")
cdktf.TerraformOutput(group, "inner", value="1")
cdktf.TerraformOutput(stack, "after", value="2")
print(len(asked))
app.synth()
"""
)


def test_node_may_call_python_while_it_makes_an_object(tmp_path: Path) -> None:
    asked = int(lines(tmp_path, OWN_NODE)[0])
    written = json.loads((tmp_path / "out" / "stacks" / "stack" / "cdk.tf.json").read_text())
    assert asked
    assert {"after", *(f"asked-{number}" for number in range(1, asked + 1))} <= set(written["output"])
    assert [name for name in written["output"] if name.startswith("group_inner_")]


def test_what_cannot_be_sent_takes_no_name(tmp_path: Path) -> None:
    program = (
        APP
        + """
import datetime
try:
    cdktf.TerraformOutput(stack, "unsendable", value=datetime.datetime(2026, 1, 1))
except TypeError as error:
    print(error)
cdktf.TerraformOutput(stack, "output", value="1")
app.synth()
"""
    )
    assert "Naive datetimes" in lines(tmp_path, program)[0]


def test_a_node_process_that_ended_is_named(tmp_path: Path) -> None:
    failed = run(tmp_path, APP + "os.kill(process._process.pid, 9); app.synth()")
    assert failed.returncode == 1
    assert failed.stderr.splitlines()[-1].startswith("jsii.errors.JSIIError: jsii's Node process has ended")


@pytest.mark.skipif(not shutil.which("sh"), reason="needs a shell")
def test_an_interrupted_program_ends_at_once(tmp_path: Path) -> None:
    program = APP + "import signal; os.killpg(0, signal.SIGINT); app.synth()"
    ended = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | {"PYTHONPATH": str(ROOT), "JSII_NODE": str(bundled_node())},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=20,
        start_new_session=True,
    )
    assert ended.stderr.splitlines()[-1] == "KeyboardInterrupt"
