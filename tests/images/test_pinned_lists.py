"""What the lists in `helm/` are known by: no digest is lost unseen, and each says where it comes from."""

import json
from dataclasses import replace

from typer.testing import CliRunner

from scripts.cli.images.commands import app
from scripts.images import upstream
from scripts.images.evidence import explained, read_evidence
from scripts.images.upstream import Upstream
from stacks.platform.common import catalogue
from tests.repository.test_renovate import ROOT, read

OPEN_IMAGES = {
    "altinity-clickhouse-operator/operator",
    "external-secrets/operator",
    "keda-http-add-on/interceptor",
    "keda-http-add-on/operator",
    "keda-http-add-on/scaler",
    "litellm/proxy",
    "nginx-ingress/controller",
    "open-webui/server",
    "opik-guardrails/service",
    "opik/backend",
    "opik/clickhouse",
    "opik/frontend",
    "opik/python-backend",
    "opik/sandbox-executor",
    "tailscale-operator/operator",
    "trust-manager/manager",
    "vllm/engine",
}
"""Images that no public source names a digest of. `llmctl images pin` makes them fewer, and nothing may add one."""
OPEN_CHARTS = {"kube-prometheus-stack", "tailscale-operator", "trust-manager"}
PINNED_AT_LEAST = {"image": 34, "chart": 11}


def listed() -> list[Upstream]:
    return [*upstream.images_and_sources(catalogue.images()), *upstream.of_charts(catalogue.charts())]


def test_so_many_images_and_charts_are_pinned_and_none_loses_its_digest() -> None:
    for kind, known in (("image", OPEN_IMAGES), ("chart", OPEN_CHARTS)):
        entries = [each for each in listed() if each.kind == kind]
        assert {each.name for each in entries if each.pinned is None} <= known, kind
        assert sum(each.pinned is not None for each in entries) >= PINNED_AT_LEAST[kind]


def test_the_pages_count_what_is_open() -> None:
    images, charts = (sum(each.pinned is None for each in listed() if each.kind == kind) for kind in ("image", "chart"))
    how_to, security = (
        " ".join((ROOT / "docs" / page).read_text("utf-8").split())
        for page in ("how-to/images.md", "explanation/security.md")
    )
    assert f"all but {images} images and {charts} charts are pinned" in how_to
    assert f"{images} upstream images, {charts} charts and the source of Opik come pinned by version alone" in security


def test_images_of_one_reference_have_one_digest() -> None:
    digests: dict[str, set[str | None]] = {}
    for each in listed():
        if each.kind == "image":
            digests.setdefault(each.reference, set()).add(each.pinned)
    assert [reference for reference, found in digests.items() if len(found) > 1] == []


def test_evidence_names_nothing_that_is_not_listed_and_explains_all_that_is_open() -> None:
    evidence = read_evidence()
    kinds = {"images": "image", "charts": "chart", "sources": "source"}
    assert set(evidence) == {"date", *kinds}
    for section, kind in kinds.items():
        names = {each.name for each in listed() if each.kind == kind}
        assert set(evidence[section]) <= names, section
        for name, said in evidence[section].items():
            assert set(said) in ({"digest", "source"}, {"open"}), name
            assert len(said.get("digest", "0" * 12)) == 12, name
    assert [pin.upstream.name for pin in explained(listed(), evidence) if pin.why == "not looked up yet"] == []


def test_evidence_counts_for_its_own_digest_alone() -> None:
    evidence = {"date": "2026-11-30", "images": {"a/b": {"digest": "a1" * 6, "source": "the publisher"}}}
    pinned = Upstream("image", "a/b", "r.example/b:1", f"sha256:{'a1' * 32}")
    whys = [
        explained([each], evidence)[0].why
        for each in (pinned, replace(pinned, pinned=f"sha256:{'b2' * 32}"), replace(pinned, pinned=None))
    ]
    assert whys == ["the publisher, 2026-11-30", "its registry", "not looked up yet"]


def test_the_command_shows_what_is_pinned_by_whom_and_what_is_open_and_why() -> None:
    rows = json.loads(CliRunner().invoke(app, ["pinned", "--json"]).stdout)
    by_name = {(row["kind"], row["name"]): row for row in rows}
    assert len(rows) == len(listed())
    chart = by_name["chart", "opik"]
    assert chart["pinned"] == catalogue.charts()["opik"].digest
    assert chart["why"]
    open_rows = json.loads(CliRunner().invoke(app, ["pinned", "--open", "--json"]).stdout)
    assert open_rows == [row for row in rows if row["pinned"] is None]
    assert all(row["why"] for row in rows)
    shown = CliRunner().invoke(app, ["pinned"], env={"COLUMNS": "200"})
    assert f"{len(rows) - len(open_rows)} of {len(rows)} are pinned" in shown.output


def test_renovate_finds_every_pin_in_the_lists_as_one_update_of_version_and_digest() -> None:
    found = {}
    for name in ("images.yaml", "charts.yaml"):
        path = f"helm/{name}"
        for pin in read(path, (ROOT / path).read_text("utf-8")):
            if pin["datasource"] != "git-tags":
                digest = pin.get("currentDigest")
                found[pin["depName"], pin["currentValue"]] = digest and f"sha256:{digest.removeprefix('sha256:')}"
    images = {(it.repository, it.tag): it.digest for it in catalogue.images().values()}
    charts = {
        (
            f"{it.repository}/{it.name}".removeprefix("oci://") if it.repository.startswith("oci:") else it.name,
            it.version,
        ): (it.digest)
        for it in catalogue.charts().values()
    }
    assert found == images | charts
