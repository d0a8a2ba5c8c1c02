"""What `scripts/check-cdktn` does to the sources, and what it lets pass."""

import ast
import re
from pathlib import Path

import pytest

from scripts.lab.cdktn.__main__ import REQUIREMENTS
from scripts.lab.cdktn.compare import EXPECTED, Difference, Expected, differences, judged
from scripts.lab.cdktn.translate import PARTS, translated, write_copy

ROOT = Path(__file__).resolve().parents[2]


def test_no_import_of_cdktf_is_left_in_the_application(tmp_path: Path) -> None:
    assert write_copy(ROOT, tmp_path) > 40
    imported = set()
    for path in tmp_path.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                imported |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                imported.add(str(node.module).split(".")[0])
    assert {name for name in imported if name.startswith("cdktf")} == set()
    assert {"cdktn", "cdktn_provider_azurerm"} <= imported


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("from cdktf import App\n", "from cdktn import App\n"),
        ("import cdktf\n", "import cdktn as cdktf\n"),
        ("    from cdktf import Fn\n", "    from cdktn import Fn\n"),
        ("from cdktf_cdktf_provider_helm.release import Release", "from cdktn_provider_helm.release import Release"),
        ('path = "cdktf.out/dev"', 'path = "cdktf.out/dev"'),
    ],
)
def test_only_import_names_change(before: str, after: str) -> None:
    assert translated(before) == after


def test_every_binding_of_the_application_has_its_match() -> None:
    pinned = set(re.findall(r"^cdktn-provider-(\w+)==", REQUIREMENTS.read_text(), re.MULTILINE))
    used = set()
    for part in PARTS:
        paths = (ROOT / part).rglob("*.py") if (ROOT / part).is_dir() else [ROOT / part]
        for path in paths:
            used |= set(re.findall(r"^\s*from cdktf_cdktf_provider_(\w+?)\.", path.read_text(), re.MULTILINE))
    assert used <= pinned
    assert len(used) == 5


def test_a_difference_is_found_wherever_it_is() -> None:
    before = {"dev_aks": {"//": 1, "resource": {"a": [{"x": 1}, {"y": 2}]}, "gone": True}}
    after = {"dev_aks": {"//": 2, "resource": {"a": [{"x": 1}, {"y": 3}]}}}
    assert list(differences(before, after)) == [
        Difference("dev_aks/gone", True, None),
        Difference("dev_aks/resource/a/1/y", 2, 3),
    ]
    assert list(differences({"s": [1]}, {"s": [1, 2]})) == [Difference("s", [1], [1, 2])]


def test_only_what_is_understood_passes_and_only_as_long_as_it_is_there() -> None:
    version = Difference("dev_aks/terraform/required_providers/azurerm/version", "4.55.0", "4.60.0")
    source = Difference(
        "dev_platform/terraform/required_providers/kubernetes/source", "kubernetes", "hashicorp/kubernetes"
    )
    other = Difference("dev_aks/terraform/required_providers/azurerm/source", "azurerm", "elsewhere")
    assert judged([version, source, other]) == ([other], [])
    assert judged([version]) == ([], [EXPECTED[1]])
    assert judged([], (Expected("a", "b"),)) == ([], [Expected("a", "b")])
