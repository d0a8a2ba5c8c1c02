"""Before the checks of a deployment ask for programs, those that the machine lacks are brought along."""

from pathlib import Path

import pytest

from scripts.deployment.first_deployment import fetch_tools
from scripts.tools.bring import Cache
from scripts.tools.catalogue import Tool
from scripts.tools.release import UnavailableError


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("TERRAFORM_BINARY_NAME", "")


def terraform_alone(wanted: Tool, target: Path, _told: object) -> None:
    if wanted.name == "kubectl":
        raise UnavailableError("status 404")
    target.write_text('#!/bin/sh\necho \'{"terraform_version": "1.15.8"}\'\n', "utf-8")
    target.chmod(0o755)


def no_go(*_arguments: object) -> None:
    raise UnavailableError("Go is not installed")


@pytest.mark.parametrize(
    ("stacks", "brought"), [(("disks", "acr"), ["terraform"]), (("aks", "platform"), ["kubelogin", "terraform"])]
)
def test_what_the_stacks_need_comes_and_what_cannot_is_said_without_an_end(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], stacks: tuple[str, ...], brought: list[str]
) -> None:
    cache = Cache(tmp_path / "tools", release=terraform_alone, by_go=no_go)
    fetch_tools(stacks, cache)
    assert sorted(path.name for path in cache.folder.glob("*/*") if not path.name.startswith(".")) == brought
    assert ("kubectl 1.36.3 is not installed and cannot be fetched (status 404)" in capsys.readouterr().err) == (
        "platform" in stacks
    )


def test_nothing_is_tried_where_it_is_forbidden(tmp_path: Path) -> None:
    fetch_tools(["platform"], Cache(tmp_path / "tools", release=terraform_alone, allowed=False))
    assert not (tmp_path / "tools").exists()
