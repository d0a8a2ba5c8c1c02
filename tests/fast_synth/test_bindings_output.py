"""However provider bindings are loaded, the same files are synthesized."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from stacks.fast_synth.mode import MODE_VARIABLE, Mode

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """
import sys
from pathlib import Path
from main import build_app
from stacks.settings import load_settings
for name in ("dev", "prod"):
    build_app(load_settings(name), Path(sys.argv[1]) / name).synth()
azurerm = [name for name in sys.modules if name.startswith("cdktf_cdktf_provider_azurerm.")]
print(len(azurerm))
"""


def synthesized(mode: Mode, folder: Path) -> tuple[dict[str, bytes], int]:
    """Return the synthesized files by name, and how many modules of the azurerm binding were loaded for them."""
    folder.mkdir()
    environment = os.environ | {MODE_VARIABLE: mode}
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(folder)], env=environment, cwd=ROOT, check=True, capture_output=True
    )
    files = [file for file in folder.rglob("*") if file.is_file()]
    return {str(file.relative_to(folder)): file.read_bytes() for file in files}, int(run.stdout)


@pytest.mark.slow
def test_lean_and_lazy_bindings_synthesize_what_the_published_ones_do_byte_by_byte(tmp_path: Path) -> None:
    shipped, shipped_modules = synthesized(Mode.AS_SHIPPED, tmp_path / "shipped")
    lean, lean_modules = synthesized(Mode.LEAN, tmp_path / "lean")
    lazy, _ = synthesized(Mode.LAZY, tmp_path / "lazy")
    assert shipped_modules > 5 * lean_modules, "the comparison compares nothing: both runs loaded the same"
    assert {f"{name}/stacks/platform/cdk.tf.json" for name in ("dev", "prod")} <= shipped.keys()
    for other in (lean, lazy):
        assert other.keys() == shipped.keys()
        for file, content in shipped.items():
            assert other[file] == content, file


@pytest.mark.slow
def test_what_an_environment_does_not_have_is_not_imported(tmp_path: Path) -> None:
    program = PROGRAM.replace('("dev", "prod")', '("dev",)').replace("len(azurerm)", "*azurerm")
    run = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], cwd=ROOT, check=True, capture_output=True, text=True
    )
    imported = {name.partition(".")[2] for name in run.stdout.split()}
    assert "kubernetes_cluster" in imported
    assert imported.isdisjoint(
        {"application_gateway", "monitor_action_group", "nat_gateway", "web_application_firewall_policy"}
    )
