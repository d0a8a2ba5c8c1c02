"""The kubelogin that comes along is Azure's, in its pinned version, and takes what people are asked to type."""

import shutil
import subprocess

import pytest

from scripts.tools.catalogue import tool

pytestmark = pytest.mark.live


def test_the_program_that_comes_along_is_azures_and_of_the_pinned_version() -> None:
    program = shutil.which("kubelogin")
    assert program, "kubelogin is not on PATH: .ci/run brings it"
    shown = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    # Preflight tells it by these words from another program of its name.
    assert f"git hash: v{tool('kubelogin').version}" in shown
    helped = subprocess.run([program, "convert-kubeconfig", "--help"], capture_output=True, text=True, check=True)
    assert "azurecli" in helped.stdout
