"""Pins, pruning, and the commands over a registry of the environment's own."""

import json
import os
import runpy
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from scripts.cli.images import options as image_options
from scripts.cli.images.commands import app
from scripts.cli.tools import Tools
from scripts.cluster.kubectl import Kubectl
from scripts.core.errors import ExitCode, OperatorError
from scripts.core.processes import Processes
from scripts.deployment.image_step import Tools as ImageTools
from scripts.deployment.image_step import ensure
from scripts.images.environment_images import EnvironmentImages
from scripts.images.lock import write_lock
from scripts.images.prune import superseded
from scripts.images.registry.client import Registry
from scripts.terraform.outputs import NotDeployedError
from stacks.platform.common.catalogue import Image
from stacks.platform.common.image_lock import LockedImage
from tests.support.cli.fake_tools import CONTEXT, install
from tests.support.images.oci_registry import OciRegistry
from tests.support.images.sources import pinned, workshop

ROOT = Path(__file__).parents[2]


@pytest.fixture
def registry() -> Iterator[OciRegistry]:
    with OciRegistry().serving() as serving:
        yield serving


def test_pruning_keeps_the_locked_the_newest_and_the_platforms_of_what_is_kept(registry: OciRegistry) -> None:
    for number in range(5):
        registry.add("app", f"v{number}", b"%d" % number, created=f"2026-01-0{number + 1}T00:00:00Z")
    amd = registry.add("app", "amd64-only", b"amd", created="2020-01-01T00:00:00Z")
    index = registry.add_index("app", "multi", {"linux/amd64": amd})
    lock = {"app": LockedImage("app", "multi", index), "old": LockedImage("app", "v1", registry.tags["app"]["v1"])}
    found = superseded(Registry(registry.name), ["app", "absent"], [lock, {}], keep=2)
    assert {version.tag for version in found} == {"v0", "v2"}


def _no_cluster(environment: str) -> Kubectl:
    raise NotDeployedError(f"{environment} is not deployed: aks has no outputs")


def _command(
    monkeypatch: pytest.MonkeyPatch, shop: EnvironmentImages, *arguments: str, tools: Tools | None = None
) -> tuple[int, Any]:
    def opened(_environment: str | None, _names: list[str] | None, **_options: Any) -> EnvironmentImages:
        # A fresh one for each command, as in a process of its own.
        return replace(shop)

    for module in ("scripts.cli.images.commands", "scripts.cli.images.care"):
        monkeypatch.setattr(f"{module}.open_shop", opened)
    monkeypatch.setattr(image_options, "CACHE", shop.cache)
    obj = tools or Tools(kubectl_of=_no_cluster)
    result = CliRunner().invoke(app, [*arguments, "--json"], catch_exceptions=False, obj=obj)
    return result.exit_code, json.loads(result.stdout)


def test_the_commands_speak_json_and_exit_codes(
    tmp_path: Path, registry: OciRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    with OciRegistry().serving() as publisher:
        digest = publisher.add("org/one", "v1", b"one", b"two")
        images = {"charts/one": Image(repository=f"{publisher.name}/org/one", tag="v1", digest=digest)}
        shop = workshop(tmp_path, images, registry.name)
        status, found = _command(monkeypatch, shop, "status", "--detailed-exitcode")
        assert (status, found["images"][0]["state"]) == (ExitCode.CHANGES, "missing")
        status, done = _command(monkeypatch, shop, "ensure", "--importer", "direct")
        assert (status, done["worked_on"], done["lock_changed"]) == (0, ["charts/one"], True)
        status, found = _command(monkeypatch, shop, "status", "--detailed-exitcode")
        assert (status, found["images"][0]["state"]) == (0, "current")
        stored = sum(len(blob) for blob in registry.blobs[found["images"][0]["repository"]].values())
        assert found["images"][0]["size_bytes"] == stored
        registry.add(found["images"][0]["repository"], "v0", b"old", created="2020-01-01T00:00:00Z")
        status, pruned = _command(monkeypatch, shop, "prune", "--keep", "1")
        assert (status, pruned["deleted"], len(pruned["versions"])) == (0, False, 1)
        assert "v0" in registry.tags[found["images"][0]["repository"]]
        _command(monkeypatch, shop, "prune", "--keep", "1", "--yes")
        assert set(registry.tags[found["images"][0]["repository"]]) == {"v1"}


def test_signatures_stay_and_go_with_their_image(registry: OciRegistry) -> None:
    digests = {
        name: registry.add("app", name, name.encode(), created=f"2026-01-0{name[1]}T00:00:00Z") for name in ("v1", "v2")
    }
    for name, digest in digests.items():
        registry.add("app", digest.replace(":", "-"), b"referrers of " + name.encode(), created="")
        registry.add(
            "app", digest.replace(":", "-") + ".sig", b"signature of " + name.encode(), created="2026-02-01T00:00:00Z"
        )
    found = superseded(Registry(registry.name), ["app"], [{}], keep=1)
    old = digests["v1"].replace(":", "-")
    assert {version.tag for version in found} == {"v1", old, f"{old}.sig"}


def test_pruning_needs_no_source(tmp_path: Path, registry: OciRegistry, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(3):
        registry.add("app/backend", f"v{number}", b"%d" % number, created=f"2026-01-0{number + 1}T00:00:00Z")
    images = pinned(tmp_path / "no source here", ("backend",))
    shop = workshop(tmp_path, images, registry.name)
    write_lock(shop.lock_path, {"app/other": LockedImage("app/other", "v1", f"sha256:{'0' * 64}")})
    status, pruned = _command(monkeypatch, shop, "prune", "--keep", "1")
    assert status == 0
    assert [version.partition("@")[0] for version in pruned["versions"]] == ["app/backend:v1", "app/backend:v0"]


def _cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *items: Any) -> Tools:
    fake = install(tmp_path / "tools", monkeypatch)
    kinds = "pods,replicasets,deployments,statefulsets,daemonsets,jobs,cronjobs,controllerrevisions"
    fake.items(kinds, *items)
    return Tools(kubectl_of=lambda _environment: Kubectl(CONTEXT))


def _workload(image: str, kind: str = "containers") -> dict[str, Any]:
    return {"kind": "Deployment", "spec": {"replicas": 0, "template": {"spec": {kind: [{"image": image}]}}}}


def test_what_the_cluster_names_is_kept_without_a_lock_file(
    tmp_path: Path, registry: OciRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    digests = {
        name: registry.add("app/backend", name, name.encode(), created=f"2026-01-0{name[1]}T00:00:00Z")
        for name in ("v1", "v2", "v3", "v4", "v5", "v6")
    }
    registry.add_index("app/backend", "v7", {"linux/amd64": digests["v3"]})
    own = "llmdev.azurecr.io/app/backend"
    status = {"containerStatuses": [{"image": "app", "imageID": f"{own}@{digests['v3']}"}]}
    tools = _cluster(
        tmp_path,
        monkeypatch,
        {"kind": "Pod", "spec": {"containers": []}, "status": status},
        _workload(f"{own}:v1"),
        _workload(f"{own}@{digests['v2']}", "initContainers"),
        {"kind": "CronJob", "spec": {"jobTemplate": {"spec": _workload(f"{own}:v4")["spec"]}}},
        {"kind": "ControllerRevision", "data": {"spec": _workload(f"{own}:v5")["spec"]}},
    )
    images = pinned(tmp_path / "no source here", ("backend",))
    _, pruned = _command(monkeypatch, workshop(tmp_path, images, registry.name), "prune", "--keep", "1", tools=tools)
    assert [version.partition("@")[0] for version in pruned["versions"]] == ["app/backend:v6"]


@pytest.mark.parametrize("deleting", [(), ("--yes",)])
def test_pruning_without_an_answer_of_the_cluster_is_refused_and_deletes_nothing(
    tmp_path: Path, registry: OciRegistry, monkeypatch: pytest.MonkeyPatch, deleting: tuple[str, ...]
) -> None:
    for number in (1, 2):
        registry.add("app/backend", f"v{number}", b"%d" % number, created=f"2026-01-0{number}T00:00:00Z")
    images = pinned(tmp_path / "no source here", ("backend",))
    shop = workshop(tmp_path, images, registry.name)
    install(tmp_path / "tools", monkeypatch)
    silent = Tools(kubectl_of=lambda _environment: Kubectl(CONTEXT))
    for tools, reason in ((silent, "is forbidden"), (None, "there is no lock file")):
        with pytest.raises(OperatorError, match=reason) as caught:
            _command(monkeypatch, shop, "prune", "--keep", "1", *deleting, tools=tools)
        assert caught.value.code == ExitCode.REFUSED
    # A lock file does not speak for a cluster that is there.
    write_lock(shop.lock_path, {"app/other": LockedImage("app/other", "v1", f"sha256:{'0' * 64}")})
    with pytest.raises(OperatorError, match="is forbidden"):
        _command(monkeypatch, shop, "prune", "--keep", "1", *deleting, tools=silent)
    assert set(registry.tags["app/backend"]) == {"v1", "v2"}


@pytest.mark.parametrize(
    ("tags", "newest"),
    [
        ({"v9": "", "v10": "", "10abc": ""}, "v10"),
        ({"v1.9.0": "", "v1.10.0": ""}, "v1.10.0"),
        ({"1.9.1": "2026-03-01T00:00:00Z", "1.10.0": "2026-02-01T00:00:00Z"}, "1.10.0"),
        ({"2.0.0-rc2": "2026-01-01T00:00:00Z", "2.0.0-rc10": "2026-01-01T00:00:00Z"}, "2.0.0-rc10"),
        ({"2.0.0": "2026-01-01T00:00:00Z", "2.0.0-rc1": "2026-02-01T00:00:00Z"}, "2.0.0"),
        ({"2.1.23-ffff": "2026-01-01T00:00:00Z", "2.1.23-0000": "2026-01-01T03:00:00+02:00"}, "2.1.23-0000"),
        ({"2.1.23-0000": "2026-01-01T00:00:00Z", "2.1.23-ffff": "2026-01-01T01:30:00+02:00"}, "2.1.23-0000"),
        ({"25.8.16.10002.altinitystable": "", "25.8.9.10": ""}, "25.8.16.10002.altinitystable"),
        ({"nightly": "2026-05-01T00:00:00Z", "1.0.0": "2025-01-01T00:00:00Z"}, "1.0.0"),
    ],
)
def test_versions_are_ordered_as_versions(registry: OciRegistry, tags: dict[str, str], newest: str) -> None:
    for tag, created in tags.items():
        registry.add("app", tag, tag.encode(), created=created)
    found = superseded(Registry(registry.name), ["app"], [{}], keep=1)
    assert {version.tag for version in found} == set(tags) - {newest}


def test_a_failure_is_one_error_with_the_count_and_the_lock_as_it_was(tmp_path: Path, registry: OciRegistry) -> None:
    images = {"charts/gone": Image(repository="127.0.0.1:1/org/gone", tag="v1")}
    with pytest.raises(OperatorError, match=r"1 of 1 images failed; the lock file is as it was") as caught:
        ensure(workshop(tmp_path, images, registry.name), ImageTools(importer="direct"), Processes())
    assert caught.value.code == ExitCode.FAILED
    assert not (tmp_path / "dev.images.lock.json").exists()


def test_the_script_is_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    became: list[list[str]] = []
    monkeypatch.setattr(os, "execv", lambda _program, arguments: became.append(arguments))
    monkeypatch.setattr(sys, "argv", ["build_images.py", "prod", "--json"])
    runpy.run_path(str(ROOT / "scripts" / "build_images.py"), run_name="__main__")
    assert became == [[sys.executable, str(ROOT / "scripts" / "llmctl"), "images", "ensure", "prod", "--json"]]
