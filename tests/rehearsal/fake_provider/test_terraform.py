"""The real Terraform on all five fake providers, with two small configurations that read each other."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path

import psutil
import pytest

from scripts.lab.rehearsal.mirror import REGISTRIES, platform_name, prepare
from tests.support.patience import PATIENCE_S
from tests.support.rehearsal.two_configurations import APPS, BASE, HOME, VERSIONS, Project, processes_of

pytestmark = [
    pytest.mark.rehearsal,
    pytest.mark.skipif(not shutil.which("terraform"), reason="needs terraform"),
]


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Both configurations, applied once; tests that change something work on a copy."""
    project = Project(tmp_path_factory.mktemp("fake"))
    for name in ("base", "apps"):
        project.apply(name)
    return project


@pytest.fixture
def project(deployed: Project, tmp_path: Path) -> Iterator[Project]:
    shutil.copytree(deployed.folder, tmp_path, dirs_exist_ok=True, symlinks=True)
    for link in tmp_path.rglob("terraform-provider-*"):
        assert link.is_file()
    found = Project(tmp_path)
    yield found
    found.cloud.close()


def test_a_second_plan_changes_nothing(deployed: Project) -> None:
    for name in ("base", "apps"):
        deployed.unchanged(name)


def test_values_pass_from_one_configuration_to_the_other(deployed: Project) -> None:
    resources = {
        one["type"]: one["instances"][0]["attributes"] for one in json.loads(deployed.state("apps"))["resources"]
    }
    (disk,) = deployed.cloud.objects("azurerm_managed_disk")
    source = resources["kubernetes_persistent_volume_v1"]["spec"][0]["persistent_volume_source"][0]["csi"][0]
    assert source["volume_handle"] == disk.id
    assert json.loads(resources["helm_release"]["metadata"]["values"]) == {"a": 1, "disk": disk.id}


def test_the_generated_password_reaches_vault_and_server_and_no_file_of_terraform(deployed: Project) -> None:
    vault, server = (
        deployed.cloud.objects(f"azurerm_{kind}")[0] for kind in ("key_vault", "postgresql_flexible_server")
    )
    kept = deployed.cloud.secret(vault.id, "db")
    assert kept
    assert deployed.cloud.secret(server.id, "administrator_password_wo") == ("", kept[1])
    deployed.run("base", "plan", "-out=planned.tfplan")
    shown = deployed.run("base", "show", "-json", "planned.tfplan")
    written = [path.read_text(errors="replace") for path in deployed.folder.rglob("*.tfstate*")]
    assert written
    for value in deployed.cloud.secret_values():
        assert not any(value in text for text in [*written, shown])


def test_what_must_not_be_destroyed_is_refused_before_anything_else(project: Project) -> None:
    before = project.state("base")
    assert "Instance cannot be destroyed" in project.run("base", "destroy", "-auto-approve", status=1)
    assert project.state("base") == before
    assert not [event for event in project.cloud.journal() if event.operation == "delete"]


def test_a_replacement_of_what_must_not_be_destroyed_is_refused(project: Project) -> None:
    moved = deepcopy(BASE)
    moved["resource"]["azurerm_managed_disk"]["data"]["name"] = "other"
    project.write("base", moved)
    assert "Instance cannot be destroyed" in project.run("base", "plan", status=1)


def test_a_locked_resource_survives_even_without_prevent_destroy(project: Project) -> None:
    freed = deepcopy(BASE)
    del freed["resource"]["azurerm_managed_disk"]["data"]["lifecycle"]
    project.write("base", freed)
    output = project.run("base", "destroy", "-auto-approve", "-target=azurerm_managed_disk.data", status=0)
    assert "Destroy complete" in output  # the lock of the same stack goes first, as Terraform orders it
    project.apply("base")
    (disk,) = project.cloud.objects("azurerm_managed_disk")
    project.run("base", "state", "rm", "azurerm_management_lock.data")
    del freed["resource"]["azurerm_management_lock"]
    project.write("base", freed)
    output = project.run("base", "destroy", "-auto-approve", "-target=azurerm_managed_disk.data", status=1)
    assert "ScopeLocked" in output
    assert project.cloud.objects("azurerm_managed_disk") == [disk]


def test_a_new_version_writes_a_new_secret_and_nothing_else_changes(project: Project) -> None:
    (vault,) = project.cloud.objects("azurerm_key_vault")
    old = project.cloud.secret(vault.id, "db")
    rotated = deepcopy(BASE)
    rotated["resource"]["azurerm_key_vault_secret"]["db"]["value_wo_version"] = 2
    project.write("base", rotated)
    assert "1 to change" in project.run("base", "plan")
    project.apply("base")
    assert project.cloud.secret(vault.id, "db") != old
    project.unchanged("base")


def test_a_refusal_of_the_provider_stops_validation(project: Project) -> None:
    wrong = deepcopy(BASE)
    wrong["resource"]["azurerm_kubernetes_cluster"]["one"]["image_cleaner_interval_hours"] = 12
    project.write("base", wrong)
    output = project.run("base", "validate", status=1)
    assert "expected image_cleaner_interval_hours to be in the range (24 - 2160), got 12" in output


def test_a_misspelt_argument_stops_validation(project: Project) -> None:
    wrong = deepcopy(BASE)
    wrong["resource"]["azurerm_managed_disk"]["data"]["disk_size"] = 32
    project.write("base", wrong)
    assert 'No argument or block type is named "disk_size"' in project.run("base", "validate", status=1)


def test_after_a_lost_answer_an_import_goes_on(project: Project) -> None:
    more = deepcopy(BASE)
    more["resource"]["azurerm_managed_disk"]["more"] = {
        **BASE["resource"]["azurerm_managed_disk"]["data"],
        "name": "more",
    }
    project.write("base", more)
    project.fault(resource="azurerm_managed_disk.more", effect="lose-answer")
    assert "connection may have been reset" in project.apply("base", status=1)
    output = project.apply("base", status=1)
    found = re.search(r'a resource with the ID "([^"]+)" already exists - to be managed via Terraform', output)
    assert found
    project.run("base", "import", "azurerm_managed_disk.more", found[1])
    project.apply("base")
    project.unchanged("base")


def test_after_a_failure_the_next_run_goes_on_where_it_stopped(project: Project) -> None:
    more = deepcopy(APPS)
    more["resource"]["kubernetes_namespace_v1"] |= {
        "second": {"metadata": {"name": "second"}},
        "third": {"metadata": {"name": "third"}, "depends_on": ["kubernetes_namespace_v1.second"]},
    }
    project.write("apps", more)
    project.fault(
        resource="kubernetes_namespace_v1.third", message="the server is currently unable to handle the request"
    )
    assert "unable to handle the request" in project.apply("apps", status=1)
    assert "Resources: 1 added, 0 changed, 0 destroyed" in project.apply("apps")
    project.unchanged("apps")


def test_what_vanished_outside_of_terraform_is_created_again(project: Project) -> None:
    (volume,) = project.cloud.objects("kubernetes_persistent_volume_v1")
    project.cloud.delete(volume.key)
    assert "1 to add, 0 to change, 0 to destroy" in project.run("apps", "plan")
    project.apply("apps")
    project.unchanged("apps")


def hanging_apply(project: Project) -> subprocess.Popen[str]:
    """Start an apply and return it while the provider hangs."""
    more = deepcopy(APPS)
    more["resource"]["kubernetes_namespace_v1"]["second"] = {"metadata": {"name": "second"}}
    project.write("apps", more)
    project.fault(resource="kubernetes_namespace_v1.second", effect="hang", seconds=600)
    process = project.start("apps", "apply", "-auto-approve")
    assert process.stdout
    for line in process.stdout:
        if "kubernetes_namespace_v1.second: Creating" in line:
            break
    return process


def test_an_interrupt_ends_a_hanging_call_and_leaves_no_process(project: Project) -> None:
    process = hanging_apply(project)
    os.killpg(process.pid, signal.SIGINT)
    output, _nothing = process.communicate(timeout=PATIENCE_S)
    assert "context deadline exceeded" in output
    assert processes_of(project) == []


def test_providers_end_with_a_terraform_that_was_killed(project: Project) -> None:
    process = hanging_apply(project)
    running = [one for one in processes_of(project) if one.pid != process.pid]
    assert running
    process.kill()
    process.wait()
    _gone, alive = psutil.wait_procs(running, timeout=PATIENCE_S)
    assert alive == []


def test_the_lock_file_names_the_pinned_versions_and_providers_can_be_locked(deployed: Project) -> None:
    deployed.run("base", "providers", "lock")
    lock = (deployed.folder / "stacks" / "base" / ".terraform.lock.hcl").read_text()
    for name in ("azurerm", "azuread", "random"):
        assert re.search(rf'hashicorp/{name}" {{\s+version\s+= "{re.escape(VERSIONS[name])}"', lock)


def test_preparing_again_changes_no_byte_of_the_mirror(deployed: Project) -> None:
    mirror = deployed.folder / HOME / "mirror"
    before = {path: path.read_bytes() for path in mirror.rglob("*") if path.is_file()}
    assert len(before) == len(VERSIONS) * len(REGISTRIES)
    assert all(path.parent.name == platform_name() for path in before)
    prepare(deployed.folder / HOME)
    assert {path: path.read_bytes() for path in mirror.rglob("*") if path.is_file()} == before
    assert len(set(before.values())) == 1


def test_a_provider_started_by_hand_says_what_it_is(deployed: Project) -> None:
    executable = next((deployed.folder / HOME / "mirror").rglob("terraform-provider-random_*"))
    bare = subprocess.run([executable], capture_output=True, text=True, check=False, env={"PATH": os.environ["PATH"]})
    assert bare.returncode == 1
    assert "only works inside a rehearsal" in bare.stderr
    started = time.monotonic()
    alone = subprocess.run([executable], capture_output=True, text=True, check=False, env=deployed.environment)
    assert "Terraform starts it, nobody else" in alone.stderr
    assert time.monotonic() - started < PATIENCE_S
