"""jsii's Node process is not waited for, and answers as if it were."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from stacks.fast_bindings import MODE_VARIABLE, Mode, bundled_node
from stacks.node_program import EXIT_LIMIT_S

ROOT = Path(__file__).resolve().parents[2]
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
    program += "print(type(process).__name__); app.synth()"
    assert lines(tmp_path, program, TMPDIR=str(tmp_path)) == ["_NodeProcess"]
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_jsii_whose_requests_look_different_is_talked_to_as_published(tmp_path: Path) -> None:
    program = """
import attr, jsii
from jsii._kernel import types
fields = attr.fields
attr.fields = lambda kind: (*fields(kind), *fields(types.ObjRef)) if kind is types.InvokeRequest else fields(kind)
"""
    program = "import stacks" + program + APP + "print(type(process).__name__); app.synth()"
    assert lines(tmp_path, program) == ["_NodeProcess"]


def test_another_node_is_started_as_published(tmp_path: Path) -> None:
    other = tmp_path / "node"
    other.symlink_to(str(bundled_node()))
    program = APP + "print(type(process).__name__); app.synth()"
    assert lines(tmp_path, program, JSII_NODE=str(other)) == ["_NodeProcess"]
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
"""
    )
    unread, message = lines(tmp_path, program)
    assert int(unread) >= 1000
    assert "There is already a Construct with name 'output-0'" in message


REFUSED = (
    APP
    + """
cdktf.TerraformOutput(stack, "twice", value="0")
cdktf.TerraformOutput(stack, "twice", value="1")
after = cdktf.TerraformOutput(stack, "after", value="2")
"""
)


REFUSAL = "There is already a Construct with name 'twice' in TerraformStack [stack]"


def test_an_object_that_is_refused_is_told_with_the_next_answer(tmp_path: Path) -> None:
    failed = run(tmp_path, REFUSED + "after.value")
    published = run(tmp_path, REFUSED, Mode.AS_SHIPPED)
    assert failed.returncode == published.returncode == 1
    assert failed.stderr.splitlines()[-1] == published.stderr.splitlines()[-1] == f"RuntimeError: {REFUSAL}"
    assert "raised late: with JSII_HOST_STACK_TRACES=1 the traceback ends" in failed.stderr


def test_nothing_more_is_asked_of_an_application_in_which_an_object_was_refused(tmp_path: Path) -> None:
    program = (
        REFUSED
        + """
def attempt(action):
    try:
        action()
        print("done")
    except RuntimeError as error:
        print(str(error).splitlines()[0])

attempt(lambda: after.value)
attempt(lambda: after.value)
attempt(lambda: setattr(after, "description", "text"))
attempt(lambda: cdktf.TerraformOutput(stack, "later", value="4"))
attempt(app.synth)
app = cdktf.App(outdir="other")
stack = cdktf.TerraformStack(app, "stack")
cdktf.TerraformOutput(stack, "output", value="5")
attempt(app.synth)
"""
    )
    again = f"nothing more can be asked of an application in which an object was refused: {REFUSAL}"
    assert lines(tmp_path, program) == [REFUSAL, again, again, again, again, "done"]
    (written,) = tmp_path.rglob("cdk.tf.json")
    assert set(json.loads(written.read_text())["output"]) == {"output"}


def test_an_object_that_is_refused_is_told_though_nobody_asks(tmp_path: Path) -> None:
    assert run(tmp_path, REFUSED).stderr == f"refused, and nobody asked: {REFUSAL}\n"


def test_what_python_prints_is_not_lost_and_its_streams_stay_as_they_were(tmp_path: Path) -> None:
    program = (
        APP
        + """
print(os.get_blocking(1), os.get_blocking(2))
print("line\\n" * 40_000, end="")
"""
    )
    command = [sys.executable, "-c", program]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "JSII_NODE": str(bundled_node()), MODE_VARIABLE: Mode.LAZY}
    with subprocess.Popen(
        command, env=environment, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as started:
        printed = started.stdout.readlines() if started.stdout else []
    assert printed[0] == "True True\n"
    assert len(printed) == 40_001


def test_what_node_prints_is_passed_on(tmp_path: Path) -> None:
    hook = tmp_path / "hook.cjs"
    hook.write_text("process.on('exit', () => { console.log('to stdout'); console.error('to stderr') })")
    ended = run(tmp_path, APP, NODE_OPTIONS=f'--require="{hook}"')
    assert (ended.stdout, ended.stderr) == ("to stdout\n", "to stderr\n")


def test_a_terminated_program_leaves_no_word_of_node(tmp_path: Path) -> None:
    program = (
        APP
        + """
import signal
for number in range(10):
    cdktf.TerraformOutput(stack, f"output-{number}", value="text")
os.kill(os.getpid(), signal.SIGTERM)
"""
    )
    ended = run(tmp_path, program)
    assert (ended.returncode, ended.stdout, ended.stderr) == (-15, "", "")


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


TOLD = (
    APP
    + """
from cdktf_cdktf_provider_random.pet import Pet
from cdktf_cdktf_provider_random.provider import RandomProvider
RandomProvider(stack, "random")
pet = Pet(stack, "pet")
first = pet.id
print(pet.id == first)
pet.add_override("prefix", "a")
print(pet.id == first)
cdktf.TerraformOutput(stack, "ids", value=[first, pet.id])
app.synth()
"""
)


def test_the_text_of_an_attribute_is_asked_for_once_until_its_object_is_told_something(tmp_path: Path) -> None:
    written = []
    for mode, asked in ((Mode.LAZY, ["True", "False"]), (Mode.AS_SHIPPED, ["False", "False"])):
        assert run(tmp_path, TOLD, mode).stdout.splitlines() == asked
        written.append(json.loads((tmp_path / "out" / "stacks" / "stack" / "cdk.tf.json").read_text()))
    assert written[0] == written[1]


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


def test_a_program_interrupted_while_it_writes_ends_at_once_and_without_a_word_of_node(tmp_path: Path) -> None:
    program = (
        APP
        + """
class Interrupted:
    def __init__(self, connection):
        self.connection = connection

    def send(self, data, *flags):
        self.connection.send(data[:5], *flags)
        raise KeyboardInterrupt

    def __getattr__(self, name):
        return getattr(self.connection, name)

channel = process._process.channel
channel._connection = Interrupted(channel._connection)
app.synth()
"""
    )
    ended = run(tmp_path, program)
    assert ended.stderr.splitlines()[-1] == "KeyboardInterrupt"
    assert "program.js" not in ended.stderr


def test_an_interrupted_program_ends_at_once(tmp_path: Path) -> None:
    program = (
        APP
        + """
import signal, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # A test run in the background has it ignored.
print(time.time(), flush=True)
os.killpg(0, signal.SIGINT)
app.synth()
"""
    )
    ended = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | {"PYTHONPATH": str(ROOT), "JSII_NODE": str(bundled_node()), MODE_VARIABLE: Mode.LAZY},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=20,
        start_new_session=True,
    )
    assert time.time() - float(ended.stdout) < EXIT_LIMIT_S / 2
    assert ended.stderr.splitlines()[-1] == "KeyboardInterrupt"
