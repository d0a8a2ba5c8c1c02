"""Renovate finds every version that is pinned anywhere."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from stacks.platform.common.catalogue import images

ROOT = Path(__file__).parents[2]
CONFIG: dict[str, Any] = json.loads((ROOT / "renovate.json").read_text("utf-8"))
VERSION = re.compile(r"(?<![\w.-])v?\d+\.\d+\.\d+(?:[-+][\w.-]+)?(?![\w.])")
ADDRESS = re.compile(r"\d+\.\d+\.\d+\.\d+")
PINS = (
    "scripts/lab/install-live",
    "scripts/lab/kube/definitions.py",
    "scripts/lab/kube/programs.py",
    "scripts/tools/tools.toml",
    ".github/actions/prepare/action.yml",
)
"""Files of ours that pin versions, besides those that a package manager reads."""
MANAGERS = {"go.mod": "gomod", "package.json": "npm", "Pipfile": "pipenv"}
"""File of a package manager to the name that Renovate has for it."""


def read(path: str, text: str) -> list[dict[str, str]]:
    """Return what the configured patterns find in a file: each pin with its version and where it comes from."""
    found = []
    for manager in CONFIG["customManagers"]:
        assert manager["customType"] == "regex"
        if not any(re.search(pattern.strip("/"), path) for pattern in manager["managerFilePatterns"]):
            continue
        templates = {key.removesuffix("Template"): value for key, value in manager.items() if key.endswith("Template")}
        for pattern in manager["matchStrings"]:
            matches = re.finditer(pattern.replace("(?<", "(?P<"), text)
            found += [
                templates | {key: value for key, value in match.groupdict().items() if value} for match in matches
            ]
    return found


def pinned(text: str) -> list[str]:
    """Return every version in a file; `# ` begins a comment, behind which nothing is pinned."""
    code = [re.sub(r"(^|\s)# .*", "", line) for line in text.splitlines()]
    return [version for line in code for version in VERSION.findall(ADDRESS.sub("", line))]


@pytest.mark.parametrize("path", PINS)
def test_every_version_in_scripts_is_found_with_its_source(path: str) -> None:
    text = (ROOT / path).read_text("utf-8")
    found = [pin for pin in read(path, text) if VERSION.fullmatch(pin["currentValue"])]
    assert [pin["currentValue"] for pin in found] == pinned(text) != []
    for pin in found:
        assert pin["datasource"] in {"go", "pypi", "github-releases"}, pin
        assert re.fullmatch(r"[\w.-]+(/[\w.-]+)*", pin["depName"]), pin


def test_a_pin_without_its_source_is_noticed() -> None:
    path, line = "scripts/tools/tools.toml", '\nversion = "1.2.3"'
    assert pinned(line) == ["1.2.3"]
    assert not read(path, line)
    (found,) = read(path, f"{line} # renovate: datasource=github-releases depName=example/tool")
    assert found["currentValue"] == "1.2.3"
    assert (found["datasource"], found["depName"]) == ("github-releases", "example/tool")


def test_files_of_package_managers_are_read_those_of_the_tests_too() -> None:
    kept = [path for path in ROOT.iterdir() if path.is_dir() and path.name not in {".venv", "node_modules"}]
    found = [file for name in MANAGERS for place in kept for file in place.rglob(name)]
    ours = [file.relative_to(ROOT) for file in (*found, *(ROOT / name for name in MANAGERS)) if file.exists()]
    assert {file.as_posix() for file in ours} == {
        "Pipfile",
        "package.json",
        "scripts/gates/network/evaluator/go.mod",
        "scripts/lab/acme/go.mod",
        "scripts/lab/kube/go.mod",
        "scripts/lab/names/go.mod",
        "scripts/lab/trust/go.mod",
        "tests/support/kubernetes/admission/go.mod",
        "tests/support/llm_gateway/query_engine/package.json",
        "tests/support/start/browser/package.json",
    }
    assert {MANAGERS[file.name] for file in ours} <= set(CONFIG["enabledManagers"])
    # The preset `config:recommended` ignores every folder named `tests`; a list here takes its list's place.
    assert CONFIG["ignorePaths"] == ["**/node_modules/**"]


def test_programs_that_go_mod_calls_indirect_are_updated() -> None:
    text = (ROOT / "scripts" / "lab" / "kube" / "go.mod").read_text("utf-8")
    required = dict(re.findall(r"^\t(\S+) (v\S+) // indirect$", text, re.MULTILINE))
    (rule,) = (rule for rule in CONFIG["packageRules"] if rule.get("matchManagers") == ["gomod"])
    assert rule["enabled"] is True
    tools = re.findall(r"^\t(\S+)$", text.partition("tool (")[2].partition(")")[0], re.MULTILINE)
    for tool in tools:
        assert [name for name in rule["matchPackageNames"] if f"{tool}/".startswith(f"{name}/")], tool
    assert set(rule["matchPackageNames"]) <= set(required)


def test_every_chart_image_and_program_of_ci_is_found() -> None:
    seen = 0
    for file in (*ROOT.glob("helm/*.yaml"), *(ROOT / ".github").rglob("*.yml")):
        text, path = file.read_text("utf-8"), file.relative_to(ROOT).as_posix()
        assert len(read(path, text)) == text.count("# renovate:"), file
        seen += text.count("# renovate:")
    versions = sum((ROOT / "helm" / name).read_text().count("# renovate:") for name in ("charts.yaml", "images.yaml"))
    assert seen > versions > 30


def test_every_chart_and_image_version_says_where_it_comes_from() -> None:
    for name, key in (("charts.yaml", "version"), ("images.yaml", "tag")):
        for line in (ROOT / "helm" / name).read_text().splitlines():
            if re.match(rf"\s*{key}:", line):
                assert "# renovate: datasource=" in line, (name, line)


DIGEST = f"sha256:{'a1' * 32}"


@pytest.mark.parametrize(
    ("path", "entry", "expected"),
    [
        (
            "helm/images.yaml",
            f"    digest: {DIGEST}\n    tag: v1 # renovate: datasource=docker depName=quay.io/a/b\n",
            {"currentDigest": DIGEST, "currentValue": "v1", "datasource": "docker", "depName": "quay.io/a/b"},
        ),
        (
            "helm/charts.yaml",
            f"  digest: {DIGEST}\n  version: 1.2.3 # renovate: datasource=helm depName=a registryUrl=https://b.example\n",
            # The data source gives what an index.yaml says, which is a bare number.
            {
                "currentDigest": DIGEST.removeprefix("sha256:"),
                "currentValue": "1.2.3",
                "datasource": "helm",
                "depName": "a",
                "registryUrl": "https://b.example",
            },
        ),
        (
            "helm/images.yaml",
            f"      commit: {'a1' * 20} # renovate: datasource=git-tags depName=https://g.example/a/b 1.2.3\n",
            {
                "currentDigest": "a1" * 20,
                "currentValue": "1.2.3",
                "datasource": "git-tags",
                "depName": "https://g.example/a/b",
            },
        ),
    ],
)
def test_a_digest_and_its_version_are_one_update(path: str, entry: str, expected: dict[str, str]) -> None:
    assert read(path, entry) == [expected]


def test_the_source_is_pinned_at_the_tag_that_is_built() -> None:
    text = (ROOT / "helm" / "images.yaml").read_text("utf-8")
    sources = [pin for pin in read("helm/images.yaml", text) if pin["datasource"] == "git-tags"]
    built = [image for image in images().values() if image.build and image.build.commit]
    assert [(pin["depName"], pin["currentValue"], pin["currentDigest"]) for pin in sources] == [
        (image.build.git, image.tag, image.build.commit) for image in built if image.build
    ]
