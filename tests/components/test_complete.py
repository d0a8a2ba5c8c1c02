"""Everything in the cluster belongs to one component: what none declares is deployed by nobody."""

import json
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from stacks.platform.common.catalogue import HELM, charts, images, own_chart, pinned_release
from stacks.platform.components.base import Component
from stacks.platform.components.enabled import EnabledComponents, enabled_components
from stacks.platform.components.registry import components
from stacks.settings import Settings, load_settings
from tests.support.stacks.synthesis import Synthesized, synthesize

DOCS = Path(__file__).parents[2] / "docs"
SHARED_CHARTS = {"oauth2-proxy", "rights", "valkey"}
"""Charts that several components install, each a release of its own."""


def test_every_chart_folder_and_pin_belongs_to_one_component() -> None:
    declared = Counter(chart for component in components() for chart in component.charts)
    folders = {path.name for path in HELM.iterdir() if path.is_dir()}
    pinned = set(charts()) | {name.partition("/")[0] for name in images()}
    assert set(declared) == folders | pinned
    assert {chart for chart, count in declared.items() if count > 1} == SHARED_CHARTS


@pytest.mark.parametrize("name", ["dev", "prod"])
def test_every_namespace_belongs_to_one_component(name: str, environment: Callable[[str], Synthesized]) -> None:
    enabled = enabled_components(load_settings(name))
    declared = Counter(rules.name for component in enabled for rules in component.namespaces(enabled))
    made = environment(name).resources("platform", "kubernetes_namespace_v1").values()
    assert sorted(declared) == sorted(space["metadata"]["name"] for space in made)
    assert set(declared.values()) == {1}


@dataclass(frozen=True)
class Platform:
    """The stack platform of one environment, with the components that are on in it."""

    components: EnabledComponents
    resources: dict[str, dict[str, Any]]
    """Address to body."""

    def component_of(self, body: dict[str, Any]) -> Component | None:
        """Return the component in whose namespace a resource stands."""
        metadata = body.get("metadata")
        space = body.get("namespace") or (metadata.get("namespace") if isinstance(metadata, dict) else None)
        for component in self.components:
            for rules in component.namespaces(self.components):
                if space == f"${{kubernetes_namespace_v1.{rules.name}-namespace.metadata[0].name}}":
                    return component
        return None


@pytest.fixture(scope="module")
def platform(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Platform:
    values = load_settings(request.param["of"]).model_dump()
    for section, changes in request.param.items():
        if section != "of":
            values[section] |= changes
    settings = Settings.model_validate(values)
    found = synthesize(settings, tmp_path_factory.mktemp("everything")).stacks["platform"]["resource"]
    resources = {f"{kind}.{name}": body for kind, named in found.items() for name, body in named.items()}
    return Platform(enabled_components(settings), resources)


EVERYTHING: dict[str, Any] = {
    "of": "dev",
    "opik": {"guardrails_pool": "t4", "python_evaluators": True},
    "images": {"verify_signatures": True},
}
"""Every component on, with each optional chart and image."""
VARIANTS = pytest.mark.parametrize("platform", [{"of": "prod"}, EVERYTHING], indirect=True, ids=["prod", "everything"])
OUTSIDE = {"image-policy": "the policy is an object of the whole cluster; Helm keeps its release in kube-system"}
"""Releases that stand in no namespace of a component, with the reason."""


def chart_of(release: dict[str, Any]) -> str:
    """Return the folder in `helm/` of a release's chart."""
    own = re.fullmatch(r"\./assets/(.+)-chart/\w+", release["chart"])
    found = own[1] if own else pinned_release(release["chart"])
    assert found, release["chart"]
    return found


@VARIANTS
def test_every_release_belongs_to_the_component_in_whose_namespace_it_stands(platform: Platform) -> None:
    releases = {address: it for address, it in platform.resources.items() if address.startswith("helm_release.")}
    owners = {it["name"]: (platform.component_of(it), chart_of(it)) for it in releases.values()}
    assert {name for name, (owner, _) in owners.items() if owner is None} <= set(OUTSIDE)
    assert {name for name, (owner, chart) in owners.items() if owner and chart not in owner.charts} == set()
    # The other way round: a chart that a component names and no release installs would only be imported.
    installed = {(owner.name, chart) for owner, chart in owners.values() if owner}
    declared = {
        (component.name, chart)
        for component in platform.components
        for chart in set(component.charts) - set(component.unused_charts(platform.components.settings))
        if own_chart(chart) or chart in charts()
    }
    assert {(name, chart) for name, chart in declared - installed if chart not in OUTSIDE} == set()


def is_named(repository: str, text: str) -> bool:
    """Tell whether a resource names an image; some charts take the registry apart from the rest of the name."""
    registry, _, rest = map(re.escape, repository.partition("/"))
    return re.search(rf"({registry}/|\"){rest}(?![\w/-])", text) is not None


@VARIANTS
def test_every_image_is_deployed_by_the_component_that_its_chart_belongs_to(platform: Platform) -> None:
    pins = {name: image.repository for name, image in platform.components.images().items()}
    used = {
        (owner.name, repository)
        for body in platform.resources.values()
        if (owner := platform.component_of(body))
        for text in [json.dumps(body)]
        for repository in set(pins.values())
        if is_named(repository, text)
    }
    declared = {
        (component.name, repository)
        for component in platform.components
        for name, repository in pins.items()
        if name.partition("/")[0] in component.charts
    }
    assert used == declared


@pytest.mark.parametrize(
    ("kind", "files", "of_the_platform"),
    [
        ("alerts", "monitors/rules/*.yaml", {"platform", "backups"}),
        ("dashboards", "dashboards/files/*.json", {"overview", "postgresql"}),
    ],
)
def test_every_file_of_monitoring_belongs_to_one_component_or_to_the_platform(
    kind: str, files: str, of_the_platform: set[str]
) -> None:
    declared = Counter(name for component in components() for name in getattr(component, kind))
    assert set(declared) | of_the_platform == {path.stem for path in HELM.glob(files)}
    assert set(declared.values()) == {1}


def test_positions_and_hosts_are_apart_and_pages_exist() -> None:
    found = components()
    assert max(Counter(component.position for component in found).values()) == 1
    assert max(Counter(host.label for component in found for host in component.hosts).values()) == 1
    assert [component.page for component in found if not (DOCS / component.page.partition("#")[0]).is_file()] == []
