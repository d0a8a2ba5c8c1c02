"""Which Terraform is accepted, and what is said about the others."""

from pathlib import Path

import pytest

from scripts.bootstrap import terraform
from scripts.bootstrap.problems import NotReadyError

Bin = Path


@pytest.fixture
def only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bin:
    """Return the only folder on PATH."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("TERRAFORM_BINARY_NAME", raising=False)
    return tmp_path


def put(folder: Bin, name: str, answer: str) -> None:
    program = folder / name
    program.write_text(f"#!/bin/sh\n{answer}\n")
    program.chmod(0o755)


def version(text: str) -> str:
    return f"""echo '{{"terraform_version": "{text}"}}'"""


@pytest.mark.parametrize("found", ["1.11.0", "1.11.4", "1.12.0-beta1", "1.20.1", "2.0.0"])
def test_a_new_enough_terraform_is_accepted(only: Bin, found: str) -> None:
    put(only, "terraform", version(found))
    assert terraform.find() == terraform.Terraform(str(only / "terraform"), found)


@pytest.mark.parametrize("found", ["0.15.5", "1.5.7", "1.10.5"])
def test_an_old_terraform_is_refused_with_its_version(only: Bin, found: str) -> None:
    put(only, "terraform", version(found))
    with pytest.raises(NotReadyError, match=rf"is version {found}, too old.*Fix: install Terraform >= 1\.11"):
        terraform.find()


def test_a_missing_terraform_is_named(only: Bin) -> None:
    assert list(only.iterdir()) == []
    with pytest.raises(NotReadyError, match=r"no `terraform` on PATH.*TERRAFORM_BINARY_NAME"):
        terraform.find()


def test_opentofu_is_taken_by_name(only: Bin, monkeypatch: pytest.MonkeyPatch) -> None:
    put(only, "tofu", version("1.11.1"))
    monkeypatch.setenv("TERRAFORM_BINARY_NAME", "tofu")
    assert terraform.find().path == str(only / "tofu")


@pytest.mark.parametrize("answer", ["exit 1", "echo Terraform v1.11.4", "echo '{}'", "echo '[]'", version("unknown")])
def test_a_program_that_is_no_terraform_is_refused(only: Bin, answer: str) -> None:
    put(only, "terraform", answer)
    with pytest.raises(NotReadyError):
        terraform.find()


def test_a_file_that_does_not_start_is_refused(only: Bin) -> None:
    put(only, "terraform", "")
    (only / "terraform").write_bytes(b"\x7fELF broken")
    with pytest.raises(NotReadyError, match="does not tell its version"):
        terraform.find()
