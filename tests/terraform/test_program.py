"""Which Terraform a command runs: the operator's own where it is new enough, else the one that is brought along."""

import os
from pathlib import Path

import pytest

from scripts.core.errors import ExitCode, OperatorError
from scripts.terraform.program import require_terraform
from scripts.tools.bring import Cache
from scripts.tools.catalogue import Tool
from scripts.tools.release import UnavailableError


@pytest.fixture(autouse=True)
def only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the only folder on PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setenv("TERRAFORM_BINARY_NAME", "")
    return folder


def put(path: Path, version: str) -> None:
    path.write_text(f"""#!/bin/sh\necho '{{"terraform_version": "{version}"}}'\n""", "utf-8")
    path.chmod(0o755)


def bringing(_wanted: Tool, target: Path, _told: object) -> None:
    put(target, "1.15.8")


def failing(*_arguments: object) -> None:
    raise UnavailableError("there is no network")


@pytest.mark.parametrize("own", [None, "1.5.7"])
def test_terraform_comes_along_where_there_is_none_or_an_old_one(only: Path, tmp_path: Path, own: str | None) -> None:
    if own:
        put(only / "terraform", own)
    found = require_terraform(Cache(tmp_path / "tools", release=bringing))
    assert found.version == "1.15.8"
    assert found.path == str(tmp_path / "tools" / "terraform-v1.15.8" / "terraform")
    assert os.environ["TERRAFORM_BINARY_NAME"] == found.path


def test_a_terraform_of_the_machine_stays_the_one(only: Path, tmp_path: Path) -> None:
    put(only / "terraform", "1.12.0")
    assert require_terraform(Cache(tmp_path / "tools", release=failing)).path == str(only / "terraform")
    assert not (tmp_path / "tools").exists()


def test_a_terraform_named_by_the_operator_is_never_replaced(
    only: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(only / "tofu", "1.6.0")
    monkeypatch.setenv("TERRAFORM_BINARY_NAME", "tofu")
    with pytest.raises(OperatorError, match=r"tofu is version 1\.6\.0, too old"):
        require_terraform(Cache(tmp_path / "tools", release=bringing))


def test_where_it_cannot_be_had_both_reasons_and_the_way_by_hand_are_told(tmp_path: Path) -> None:
    with pytest.raises(OperatorError) as failed:
        require_terraform(Cache(tmp_path / "tools", release=failing, by_go=failing))
    assert failed.value.code is ExitCode.NOT_READY
    assert failed.value.message == (
        "no `terraform` on PATH; Terraform 1.15.8 is not installed and cannot be fetched (there is no network) or built"
        " (there is no network)"
    )
    assert "https://developer.hashicorp.com/terraform/install" in failed.value.fix
