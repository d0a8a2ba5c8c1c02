"""With a library that is not the known one, synthesis is slow and right; and errors name the line that made them."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import jsii
import pytest

from stacks.fast_synth.mode import MODE_VARIABLE, Mode
from stacks.fast_synth.versions import KNOWN

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """
import pathlib, sys
import stacks, cdktf, jsii
from cdktf_cdktf_provider_random.pet import Pet
from cdktf_cdktf_provider_random.provider import RandomProvider
app = cdktf.App(outdir="out")
stack = cdktf.TerraformStack(app, "stack")
cdktf.LocalBackend(stack, path="stack.tfstate")
RandomProvider(stack, "random")
pet = Pet(stack, "pet")
pet.add_override("prefix", "a")
cdktf.TerraformOutput(stack, "ids", value=[pet.id, cdktf.Fn.upper(pet.id)])
app.synth()
print(pathlib.Path(jsii.__file__).parents[1])
print("cdktf_cdktf_provider_random.uuid" in sys.modules)
"""
PRIVATE = re.compile(r"^\s*(?:def|class) (_[a-zA-Z]\w*|ohook|jdefault)\b", re.MULTILINE)
"""What jsii defines and names as its own affair, and two functions of its Node client."""


def run(program: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a program in `folder` with our modules at hand."""
    folder.mkdir(exist_ok=True)
    environment = {name: value for name, value in os.environ.items() if name != MODE_VARIABLE}
    return subprocess.run(
        [sys.executable, "-c", program],
        env=environment | {"PYTHONPATH": str(ROOT)} | variables,
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def written(folder: Path) -> Mapping[str, bytes]:
    """Return the synthesized files by name."""
    files = [file for file in (folder / "out").rglob("*") if file.is_file()]
    return {str(file.relative_to(folder)): file.read_bytes() for file in files}


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, bytes]:
    """Return what the program writes with every package loaded as published."""
    folder = tmp_path_factory.mktemp("published")
    ended = run(PROGRAM, folder, **{MODE_VARIABLE: Mode.AS_SHIPPED})
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.splitlines()[1] == "True"
    return written(folder)


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """Return a folder that is searched before the installed packages."""
    folder = tmp_path / "site"
    folder.mkdir()
    return folder


def test_nothing_that_jsii_keeps_private_is_used(tmp_path: Path, site: Path, published: Mapping[str, bytes]) -> None:
    library = shutil.copytree(Path(jsii.__file__).parent, site / "jsii", ignore=shutil.ignore_patterns("__pycache__"))
    sources = {file: file.read_text() for file in library.rglob("*.py")}
    private = {name for text in sources.values() for name in PRIVATE.findall(text)}
    assert {"ohook", "jdefault", "_unstructure_ref", "_NodeProcess", "_ReferenceMap"} <= private
    names = re.compile(rf"\b({'|'.join(sorted(private))})\b")
    for file, text in sources.items():
        file.write_text(names.sub(r"\1_renamed", text))
    ended = run(PROGRAM, tmp_path / "work", PYTHONPATH=f"{site}{os.pathsep}{ROOT}")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.splitlines() == [str(site), "False"]
    assert written(tmp_path / "work") == published


@pytest.mark.parametrize("package", ["jsii", "cdktf", "cdktf-cdktf-provider-random"])
def test_another_version_of_a_package_loads_as_shipped_and_says_so(
    tmp_path: Path, site: Path, published: Mapping[str, bytes], package: str
) -> None:
    metadata = site / f"{package.replace('-', '_')}-99.0.0.dist-info" / "METADATA"
    metadata.parent.mkdir()
    metadata.write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 99.0.0\n")
    ended = run(PROGRAM, tmp_path / "work", PYTHONPATH=f"{site}{os.pathsep}{ROOT}")
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.splitlines()[1] == "True"
    assert f"{package} 99.0.0 instead of {KNOWN[package]}: provider bindings load as published" in ended.stderr
    assert written(tmp_path / "work") == published


@pytest.mark.parametrize("mode", [Mode.LAZY, Mode.AS_SHIPPED])
def test_an_error_names_the_line_that_made_it(tmp_path: Path, mode: Mode) -> None:
    program = """
import stacks, cdktf
stack = cdktf.TerraformStack(cdktf.App(outdir="out"), "stack")
def twice():
    cdktf.TerraformOutput(stack, "twice", value="1")
def innocent():
    cdktf.TerraformOutput(stack, "other", value="2")
twice()
twice()
innocent()
stack.node.id
"""
    (tmp_path / "program.py").write_text(program)
    ended = run("import runpy; runpy.run_path('program.py')", tmp_path, **{MODE_VARIABLE: mode})
    assert ended.returncode == 1
    assert "There is already a Construct with name 'twice' in TerraformStack" in ended.stderr.splitlines()[-1]
    ours = re.findall(r'File ".*program\.py", line (\d+), in (\S+)', ended.stderr)
    assert ours == [("9", "<module>"), ("5", "twice")]
    assert not list(tmp_path.rglob("cdk.tf.json"))


WRONG_ARGUMENTS = """
import stacks, cdktf
from cdktf_cdktf_provider_kubernetes.namespace_v1 import NamespaceV1, NamespaceV1Metadata
from cdktf_cdktf_provider_random.pet import Pet
stack = cdktf.TerraformStack(cdktf.App(outdir="out"), "stack")
def pet():
    Pet(stack, "pet", prefix=5)
def nested():
    NamespaceV1(stack, "namespace", metadata=NamespaceV1Metadata(labels={"size": 1}))
def scope():
    Pet("stack", "other")
def listed():
    stack.add_override(["path"], 1)
for wrong in (pet, nested, scope, listed):
    try:
        wrong()
    except Exception as error:
        frame = error.__traceback__.tb_next
        print(type(error).__name__, frame.tb_lineno, wrong.__name__, str(error).replace("\\n", " "))
"""


def test_a_wrong_argument_is_refused_at_its_line_also_where_only_the_kernel_checks(tmp_path: Path) -> None:
    ended = run(WRONG_ARGUMENTS, tmp_path)
    lines = ended.stdout.splitlines()
    assert [line.split()[1:3] for line in lines] == [["7", "pet"], ["9", "nested"], ["11", "scope"], ["13", "listed"]]
    assert [word in line for word, line in zip(("'prefix'", "'labels'", "scope", "path"), lines, strict=True)] == [
        True
    ] * 4
    published = run(WRONG_ARGUMENTS, tmp_path, **{MODE_VARIABLE: Mode.AS_SHIPPED}).stdout.splitlines()
    assert [line.split()[1:3] for line in published] == [line.split()[1:3] for line in lines]
