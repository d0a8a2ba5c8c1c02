"""The application's sources with the import names of CDK Terrain; nothing else is changed."""

import re
import shutil
from pathlib import Path

PARTS = ("main.py", "stacks", "constructs", "scripts", "helm", "environments")
"""What the application is made of."""

_RENAMED = (
    (re.compile(r"\bcdktf_cdktf_provider_"), "cdktn_provider_"),
    (re.compile(r"^(\s*)from cdktf\b", re.MULTILINE), r"\1from cdktn"),
    (re.compile(r"^(\s*)import cdktf$", re.MULTILINE), r"\1import cdktn as cdktf"),
)


def translated(source: str) -> str:
    """Return Python source with cdktf's import names replaced by cdktn's."""
    for pattern, replacement in _RENAMED:
        source = pattern.sub(replacement, source)
    return source


def write_copy(root: Path, target: Path) -> int:
    """Copy the application from `root` to `target`, translated, and return how many files differ."""
    target.mkdir(parents=True, exist_ok=True)
    changed = 0
    for part in PARTS:
        origin = root / part
        if origin.is_dir():
            shutil.copytree(origin, target / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(origin, target / part)
    for path in target.rglob("*.py"):
        before = path.read_text(encoding="utf-8")
        after = translated(before)
        if after != before:
            path.write_text(after, encoding="utf-8")
            changed += 1
    return changed
