"""What Go is asked to build is the pinned module, with what its own go.mod would take from its source tree."""

import json
import shutil
import subprocess
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from scripts.tools.catalogue import GoProgram
from scripts.tools.go_build import build, replacements
from scripts.tools.release import UnavailableError


class FakeGo:
    """Go that answers with a go.mod, and notes what it is asked."""

    def __init__(self, replaced: list[dict[str, object]]) -> None:
        self.replaced = replaced
        self.asked: list[list[str]] = []

    def __call__(self, arguments: Sequence[str], folder: Path) -> str:
        self.asked.append(list(arguments))
        if arguments[:2] == ["mod", "download"]:
            return json.dumps({"GoMod": "/cache/its.mod"})
        if arguments[:3] == ["mod", "edit", "-json"]:
            return json.dumps({"Replace": self.replaced})
        if arguments[0] == "build":
            (folder / "program").write_text("built", "utf-8")
        return ""


def test_modules_of_its_own_source_tree_are_taken_in_their_version(tmp_path: Path) -> None:
    go = FakeGo(
        [
            {"Old": {"Path": "example.org/tool/nested"}, "New": {"Path": "./nested"}},
            {"Old": {"Path": "example.org/other"}, "New": {"Path": "example.org/fork", "Version": "v2.0.0"}},
        ]
    )
    program = GoProgram("example.org/tool", "v1.2.3", "example.org/tool/cmd/tool", ("main.version=v1.2.3",), "v0.9.0")
    target = tmp_path / "tool"
    build(program, target, lambda _text: None, run=go)
    assert target.read_text("utf-8") == "built"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["tool"]
    assert go.asked[3:] == [
        [
            "mod",
            "edit",
            "-require=example.org/tool@v1.2.3",
            "-replace=example.org/tool/nested=example.org/tool/nested@v0.9.0",
            "-replace=example.org/other=example.org/fork@v2.0.0",
        ],
        [
            *("build", "-mod=mod", "-trimpath", "-ldflags", "-s -w -X main.version=v1.2.3"),
            *("-o", "program", "example.org/tool/cmd/tool"),
        ],
    ]


def test_a_part_of_a_source_tree_without_a_version_is_told() -> None:
    own = {"Replace": [{"Old": {"Path": "example.org/a"}, "New": {"Path": "./a"}}]}
    with pytest.raises(UnavailableError, match=r"example\.org/a is part of its source tree"):
        list(replacements(own, ""))


@pytest.mark.programs
@pytest.mark.skipif(shutil.which("go") is None, reason="go is not on PATH")
def test_go_builds_a_module_and_its_nested_one_from_a_proxy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    proxy = tmp_path / "proxy"
    main = (
        'package main\nimport ("fmt"; "example.org/tool/nested")\nvar v = "none"\n'
        "func main() { fmt.Println(v, nested.Word) }\n"
    )
    replaced = "require example.org/tool/nested v0.0.0\nreplace example.org/tool/nested => ./nested\n"
    publish(proxy, "example.org/tool", "v1.2.3", {"main.go": main}, replaced)
    publish(proxy, "example.org/tool/nested", "v0.9.0", {"nested.go": 'package nested\nconst Word = "inside"\n'})
    monkeypatch.setenv("GOPROXY", proxy.as_uri())
    monkeypatch.setenv("GONOSUMDB", "example.org")
    monkeypatch.setenv("GOMODCACHE", str(tmp_path / "modules"))
    monkeypatch.setenv("GOFLAGS", "-modcacherw")
    monkeypatch.setenv("GOTOOLCHAIN", "local")
    target = tmp_path / "bin" / "tool"
    target.parent.mkdir()
    program = GoProgram("example.org/tool", "v1.2.3", "example.org/tool", ("main.v=v1.2.3",), "v0.9.0")
    build(program, target, lambda _text: None)
    assert subprocess.run([target], capture_output=True, text=True, check=True).stdout == "v1.2.3 inside\n"
    with pytest.raises(UnavailableError, match=r"go mod: .*v9\.9\.9"):
        build(GoProgram("example.org/tool", "v9.9.9", "example.org/tool"), target, lambda _text: None)


def publish(proxy: Path, module: str, version: str, files: dict[str, str], more: str = "") -> None:
    """Put a module into a folder that Go takes as its proxy."""
    text = f"module {module}\n\ngo 1.21\n{more}"
    folder = proxy / module / "@v"
    folder.mkdir(parents=True)
    (folder / f"{version}.info").write_text(json.dumps({"Version": version}), "utf-8")
    (folder / f"{version}.mod").write_text(text, "utf-8")
    with zipfile.ZipFile(folder / f"{version}.zip", "w") as packed:
        for name, content in {"go.mod": text, **files}.items():
            packed.writestr(f"{module}@{version}/{name}", content)
