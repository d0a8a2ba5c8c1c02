"""The programs of this machine: what is missing, what is another one of its name, what is too far from the cluster."""

import stat
import sys
from pathlib import Path

import pytest

from scripts.bootstrap.problems import NotReadyError
from scripts.core.errors import OperatorError
from scripts.preflight.findings import Outcome
from scripts.preflight.machine import Machine
from tests.support.preflight.surroundings import EVERYTHING, FakeMachine, result, sound, surroundings

NOWHERE = "http://127.0.0.1:9"


def sentences(machine: FakeMachine, *stacks: str, **more: object) -> list[str]:
    found = result("tools", surroundings(NOWHERE, machine=machine, stacks=stacks or EVERYTHING, **more))  # type: ignore[arg-type]
    assert not found.not_checked, found.not_checked
    return [f"{finding.outcome}: {finding.what} -> {finding.fix}" for finding in found.findings]


def test_a_machine_with_everything_passes() -> None:
    assert sentences(FakeMachine()) == []


def test_each_missing_program_is_named_with_where_to_get_it() -> None:
    lines = sentences(FakeMachine(printed={}))
    assert [line.partition(" ->")[0] for line in lines] == [
        "failed: `az` is not installed",
        "failed: `kubelogin` is not installed",
        "failed: `kubectl` is not installed",
        "failed: `git` is not installed",
    ]
    assert all("install it: " in line for line in lines)


def test_a_stack_outside_the_cluster_needs_no_kubectl() -> None:
    assert sentences(FakeMachine(printed={"az": ""}), "disks", "acr") == []


def test_terraforms_own_problem_is_told() -> None:
    machine = FakeMachine(terraform=NotReadyError("terraform is version 1.5.0, too old", "install Terraform >= 1.11"))
    assert sentences(machine) == ["failed: terraform is version 1.5.0, too old -> install Terraform >= 1.11"]


def test_another_program_called_kubelogin_is_noticed() -> None:
    machine = FakeMachine()
    machine.printed["kubelogin"] = "kubelogin version v1.28.0 (go1.21 darwin_arm64)"
    (line,) = sentences(machine)
    assert line.startswith("failed: `kubelogin` on PATH is not the one of Azure -> install it before the other one")


@pytest.mark.parametrize(("version", "fits"), [("v1.35.0", True), ("v1.37.2", True), ("v1.34.9", False)])
def test_kubectl_may_differ_by_one_minor_version(version: str, fits: bool) -> None:
    machine = FakeMachine()
    machine.printed["kubectl"] = f"Client Version: {version}"
    lines = sentences(machine)
    expected = "warning: kubectl is version 1.34.9, the cluster 1.36 -> az aks install-cli --client-version 1.36.0"
    assert lines == ([] if fits else [expected])


def test_images_that_nothing_here_can_build() -> None:
    machine = FakeMachine(builder=OperatorError("nothing on this machine can build images", "install one of them"))
    assert sentences(machine) == ["failed: nothing on this machine can build images -> install one of them"]
    imported = surroundings(NOWHERE, sound(images={"opik": "import"}), machine=machine)
    assert result("tools", imported).outcome is Outcome.PASSED


def program(folder: Path, name: str, text: str) -> None:
    path = folder / name
    path.write_text(f"#!{sys.executable}\n{text}\n", "utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def test_the_machine_runs_what_it_finds(tmp_path: Path) -> None:
    program(tmp_path, "kubectl", "print('Client Version: v1.36.1')")
    program(tmp_path, "broken", "raise SystemExit(1)")
    (tmp_path / "unreadable").write_text("", "utf-8")
    machine = Machine(lambda name: str(tmp_path / name) if (tmp_path / name).exists() else None)
    assert machine.version("kubectl", "version", "--client") == (1, 36, 1)
    assert machine.has("kubectl")
    assert not machine.has("kubelogin")
    for name in ("broken", "unreadable", "missing"):
        assert machine.output(name) is None
        assert machine.version(name) is None
