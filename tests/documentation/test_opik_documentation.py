"""What docs/ says of Opik's routes and traps is what tests ask for."""

import re
from pathlib import Path

from stacks.platform.common.catalogue import HELM
from tests.components.opik.test_opik_login import WITHOUT_LOGIN


def test_every_documented_route_is_asked_for_and_answers_as_documented() -> None:
    text = (
        (HELM.parent / "docs" / "reference" / "opik.md")
        .read_text("utf-8")
        .partition("\n## Routes\n")[2]
        .partition("\n## ")[0]
    )
    statuses = {"login": 302, "login at Entra": 302, "401": 401}
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("| `/")
    ]
    assert len(rows) > 8
    for paths, by, _, without in rows:
        if by.startswith("cert-manager"):
            continue
        for path in re.findall(r"`([^`…]+)…?`", paths):
            asked = {status for known, status in WITHOUT_LOGIN.items() if known.startswith(path) and path != "/"}
            asked |= {WITHOUT_LOGIN["/"]} if path == "/" else set()
            assert asked, path
            if without in statuses:
                assert asked == {statuses[without]}, path


def test_every_test_that_the_traps_name_exists() -> None:
    text = (HELM.parent / "docs" / "reference" / "known-problems" / "opik.md").read_text("utf-8")
    named = set(re.findall(r"`(test_\w+)`", text))
    written = "\n".join(file.read_text("utf-8") for file in Path(__file__).parents[1].rglob("test_*.py"))
    assert len(named) > 30
    assert {name for name in named if f"def {name}(" not in written} == set()
