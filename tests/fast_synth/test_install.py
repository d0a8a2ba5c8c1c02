"""`import stacks` prepares how bindings load, for this process and for the Node process that jsii starts."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from stacks.fast_synth import install
from stacks.fast_synth.mode import MODE_VARIABLE
from stacks.fast_synth.node import bundled_node
from stacks.fast_synth.versions import KNOWN, differences

ROOT = Path(__file__).resolve().parents[2]


def test_an_unknown_mode_is_refused_with_the_choices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(MODE_VARIABLE, "fast")
    with pytest.raises(ValueError, match="'fast' is not a way to load bindings; use one of as-shipped, lean, lazy"):
        install()


def test_importing_cdktf_before_stacks_is_reported() -> None:
    run = subprocess.run(
        [sys.executable, "-W", "error::RuntimeWarning", "-c", "import constructs, stacks"],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert run.returncode == 1
    assert "was imported before the package `stacks`" in run.stderr


def test_our_own_node_is_used_unless_the_caller_names_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JSII_NODE")
    install()
    assert os.environ["JSII_NODE"] == str(bundled_node())
    monkeypatch.setenv("JSII_NODE", "/opt/node/bin/node")
    install()
    assert os.environ["JSII_NODE"] == "/opt/node/bin/node"


def test_the_versions_that_are_known_are_the_pinned_and_the_installed_ones() -> None:
    pinned = tomllib.loads((ROOT / "Pipfile").read_text())["packages"]
    assert {name: pinned[name] for name in KNOWN} == {name: f"=={version}" for name, version in KNOWN.items()}
    assert {name for name in pinned if name.startswith("cdktf")} <= KNOWN.keys()
    assert differences() == ""
