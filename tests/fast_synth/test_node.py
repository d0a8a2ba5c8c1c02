"""jsii runs in one Node process, which loads only the resources in use; what looks different runs as published."""

import base64
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from stacks.fast_synth.mode import MODE_VARIABLE
from stacks.fast_synth.node import NODE_HOOK, ONE_PROCESS, node_options

ROOT = Path(__file__).resolve().parents[2]
APP = """
import sys
import stacks
from cdktf import App, TerraformStack
from cdktf_cdktf_provider_random.pet import Pet
from cdktf_cdktf_provider_random.provider import RandomProvider
app = App(outdir=sys.argv[1])
stack = TerraformStack(app, "one")
RandomProvider(stack, "random")
Pet(stack, "pet")
app.synth()
"""
EAGER_INDEX = """"use strict";
Object.defineProperty(exports, "__esModule", { value: true });
exports.vault = exports.disk = void 0;
exports.disk = require("./disk");
exports.vault = require("./vault");
"""
LAZY_INDEX = """"use strict";
Object.defineProperty(exports, 'disk', { get: function () { return require('./disk'); } });
Object.defineProperty(exports, 'vault', { get: function () { return require('./vault'); } });
"""


@pytest.fixture
def npm_binding(tmp_path: Path) -> Path:
    """Return the folder of a Node package that is laid out like a provider binding."""
    package = tmp_path / "node modules" / "binding"
    for name in ("disk", "vault"):
        (package / "lib" / name).mkdir(parents=True)
        (package / "lib" / name / "index.js").write_text(f"console.log('loaded {name}'); exports.NAME = '{name}';")
    (package / "package.json").write_text(json.dumps({"name": "@cdktf/provider-fake", "main": "lib/index.js"}))
    (package / "lib" / "index.js").write_text(EAGER_INDEX)
    (package / "lib" / "lazy-index.js").write_text(LAZY_INDEX)
    return package


def loaded_by_node(package: Path, *preloaded: Path, hook: Path = NODE_HOOK) -> list[str]:
    """Return what loads, in order, when the package is required under the hook and its `vault` is used."""
    script = f"const b = require({json.dumps(str(package))}); console.log('required'); console.log(b.vault.NAME)"
    return output_of_node(script, *preloaded, hook=hook)


def output_of_node(script: str, *preloaded: Path, hook: Path = NODE_HOOK) -> list[str]:
    """Return the lines that a script prints under the hook, which is loaded after `preloaded`."""
    required = (argument for file in (*preloaded, hook) for argument in ("--require", str(file)))
    command = [os.environ["JSII_NODE"], *required, "-e", script]
    environment = {name: value for name, value in os.environ.items() if name != "NODE_OPTIONS"}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.splitlines()


def test_node_loads_a_resource_of_a_binding_when_it_is_used(npm_binding: Path) -> None:
    assert loaded_by_node(npm_binding) == ["required", "loaded vault", "vault"]


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("lib/lazy-index.js", LAZY_INDEX.replace("'./vault'", "'./disk'")),
        ("lib/lazy-index.js", LAZY_INDEX.replace("Object", "// Object", 1)),
        ("lib/index.js", EAGER_INDEX + "exports.VERSION = 3;\n"),
        ("package.json", json.dumps({"name": "@other/package", "main": "lib/index.js"})),
    ],
    ids=["other-file", "missing-export", "more-than-resources", "not-a-binding"],
)
def test_a_node_package_that_looks_different_loads_as_shipped(npm_binding: Path, file: str, text: str) -> None:
    (npm_binding / file).write_text(text)
    assert loaded_by_node(npm_binding) == ["loaded disk", "loaded vault", "required", "vault"]


def test_a_node_package_without_a_lazy_index_loads_as_shipped(npm_binding: Path) -> None:
    (npm_binding / "lib" / "lazy-index.js").unlink()
    assert loaded_by_node(npm_binding) == ["loaded disk", "loaded vault", "required", "vault"]


def test_the_node_process_of_jsii_takes_the_hook_and_keeps_the_options_of_the_caller(tmp_path: Path) -> None:
    report = tmp_path / "loaded modules.json"
    recorder = tmp_path / "recorder.cjs"
    recorder.write_text(
        "process.on('exit', () => { const files = Object.keys(require('node:module')._cache);"
        f" if (files.some(f => f.includes('provider-random'))) "
        f"require('node:fs').writeFileSync({json.dumps(str(report))},"
        " JSON.stringify([process.argv[1], ...files])); });"
    )
    environment = {key: value for key, value in os.environ.items() if key != MODE_VARIABLE}
    environment |= {"NODE_OPTIONS": f'--require="{recorder}"', "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", APP, str(tmp_path / "out")], env=environment, check=True, cwd=tmp_path)
    started, *files = json.loads(report.read_text())
    assert Path(started).parts[-2:] == ("bin", "jsii-runtime.js"), "a second process was started"
    loaded = {Path(file).parts[-2:] for file in files if "provider-random" in file}
    assert ("lib", "lazy-index.js") in loaded
    assert ("pet", "index.js") in loaded
    assert not loaded & {("lib", "index.js"), ("uuid", "index.js")}


RENAMED_NAMES = ("_resolveFilename", "captureStackTrace")


@pytest.mark.parametrize("name", RENAMED_NAMES)
def test_a_node_that_has_renamed_what_is_hooked_loads_as_shipped(npm_binding: Path, tmp_path: Path, name: str) -> None:
    hook = tmp_path / "hook.cjs"
    hook.write_text(NODE_HOOK.read_text().replace(f'"{name}"', '"renamed"'))
    published = name == "_resolveFilename"
    loaded = ["loaded disk", "loaded vault", "required"] if published else ["required", "loaded vault"]
    assert loaded_by_node(npm_binding, hook=hook) == [*loaded, "vault"]


def test_a_node_that_does_not_let_itself_be_hooked_loads_as_shipped(npm_binding: Path, tmp_path: Path) -> None:
    frozen = tmp_path / "frozen.cjs"
    frozen.write_text(
        "for (const [of, name] of [[require('node:module'), '_resolveFilename'], [Error, 'captureStackTrace']])"
        " Object.defineProperty(of, name, { value: of[name], writable: false });"
    )
    assert loaded_by_node(npm_binding, frozen) == ["loaded disk", "loaded vault", "required", "vault"]


def test_node_keeps_its_traces_but_where_the_whole_stack_is_asked_for() -> None:
    program = "const trace = () => { const found = {}; Error.captureStackTrace(found); return found.stack.length > 0 };"
    script = f"{program} console.log(trace()); Error.stackTraceLimit = Number.MAX_SAFE_INTEGER; console.log(trace())"
    assert output_of_node(script) == ["true", "false"]


@pytest.mark.parametrize(("version", "later"), [("22.20.0", True), ("24.1.0", False)])
def test_a_node_of_another_version_keeps_its_own_options_of_v8(tmp_path: Path, version: str, later: bool) -> None:
    recorder = tmp_path / "recorder.cjs"
    recorder.write_text(
        f"Object.defineProperty(process.versions, 'node', {{ value: '{version}' }});"
        "require('node:v8').setFlagsFromString = (flag) => console.log(flag);"
    )
    options = ["--invocation-count-for-turbofan=30000", "--invocation-count-for-osr=8000"]
    assert output_of_node("", recorder) == (options if later else [])


def test_the_bundled_node_knows_the_options_of_v8() -> None:
    command = [os.environ["JSII_NODE"], "--require", str(NODE_HOOK), "-e", ""]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stderr == ""


KNOWN_PROGRAM = """
const fs = require("node:fs"), kernel = { readFD:3,writeFD:3};
const buffer = Buffer.alloc(100);
const question = buffer.toString("utf8", 0, fs.readSync(kernel.readFD, buffer));
console.log("printed");
console.error("complained");
fs.writeSync(kernel.writeFD, `answer to ${question} by ${__filename} ${process.execArgv}`);
"""


@pytest.fixture
def runtime(tmp_path: Path) -> Path:
    """Return jsii's runtime as its client lays it out; it says that it ran."""
    for name, text in (("bin/jsii-runtime.js", "console.log('as published')"), ("lib/program.js", KNOWN_PROGRAM)):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text(text)
    return tmp_path / "bin" / "jsii-runtime.js"


def started(runtime: Path, options: str) -> subprocess.CompletedProcess[str]:
    """Run a runtime as jsii's client does."""
    command = [os.environ["JSII_NODE"], "--max-old-space-size=4069", str(runtime)]
    environment = os.environ | {"NODE_OPTIONS": options}
    return subprocess.run(command, env=environment, input="question", capture_output=True, text=True, check=True)


def test_the_program_of_jsii_runs_in_the_first_process(runtime: Path) -> None:
    ended = started(runtime, node_options("", lazy=True))
    program = runtime.parents[1] / "lib" / "program.js"
    assert ended.stdout == f"answer to question by {program} --max-old-space-size=4069,--preserve-symlinks"
    said = [
        (name, base64.b64decode(text)) for line in ended.stderr.splitlines() for name, text in json.loads(line).items()
    ]
    assert said == [("stdout", b"printed\n"), ("stderr", b"complained\n")]


def test_another_program_of_jsii_is_left_to_its_runtime(runtime: Path) -> None:
    (runtime.parents[1] / "lib" / "program.js").write_text(KNOWN_PROGRAM.replace("readFD:3", "readFD:4"))
    assert started(runtime, node_options("", lazy=True)).stdout == "as published\n"


def test_a_missing_program_is_left_to_the_runtime_of_jsii(runtime: Path) -> None:
    (runtime.parents[1] / "lib" / "program.js").unlink()
    assert started(runtime, node_options("", lazy=True)).stdout == "as published\n"


def test_the_runtime_of_jsii_stays_where_links_would_be_followed(runtime: Path) -> None:
    options = node_options("", lazy=True).replace("--preserve-symlinks", "")
    assert started(runtime, options).stdout == "as published\n"


def test_node_options_are_extended_once_and_given_back_as_they_were() -> None:
    caller = '--max-old-space-size=900 --require="/a b/c.cjs"'
    lazy = node_options(caller, lazy=True)
    assert lazy.startswith(caller)
    assert str(NODE_HOOK) in lazy
    assert str(ONE_PROCESS) in lazy
    assert node_options(lazy, lazy=True) == lazy
    assert node_options(lazy, lazy=False) == caller
    assert node_options("", lazy=False) == ""


def test_node_understands_the_options_of_a_checkout_with_unusual_characters_in_its_path(tmp_path: Path) -> None:
    hook = tmp_path / 'a "second" checkout' / "back\\slash" / "hook.cjs"
    hook.parent.mkdir(parents=True)
    hook.write_text("console.log('hook loaded')")
    environment = os.environ | {"NODE_OPTIONS": node_options("--no-warnings", lazy=True, hooks=[hook])}
    node = [os.environ["JSII_NODE"], "-e", ""]
    assert subprocess.run(node, env=environment, capture_output=True, check=True).stdout == b"hook loaded\n"
