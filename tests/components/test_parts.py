"""Commands know every workload that the charts bring, by name, container and order of start."""

from collections.abc import Callable
from pathlib import Path

import pytest

from stacks.platform.common.parts import Part
from stacks.platform.components.enabled import enabled_components
from stacks.settings import load_settings
from tests.support.kubernetes import third_party
from tests.support.kubernetes.deployed import deployed
from tests.support.kubernetes.releases import HELM
from tests.support.stacks.synthesis import Synthesized

KINDS = {"Deployment", "StatefulSet", "DaemonSet"}
BY_OPERATORS = {
    "statefulset/prometheus-prometheus",
    "statefulset/alertmanager-prometheus",
    "statefulset/chi-opik-clickhouse-cluster-0-0",
}
"""What operators make while the platform runs."""


def parts(name: str) -> list[Part]:
    settings = load_settings(name)
    return [part for component in enabled_components(settings) for part in component.parts(settings)]


@pytest.mark.programs
@pytest.mark.skipif(HELM is None, reason="helm is not on PATH")
@pytest.mark.parametrize("name", ["dev", "prod"])
def test_every_workload_of_the_charts_is_a_part_with_its_container(
    name: str, environment: Callable[[str], Synthesized], tmp_path: Path
) -> None:
    known = {(part.namespace, part.workload): part.container for part in parts(name)}
    rendered = {
        (item["metadata"].get("namespace", source.namespace), f"{item['kind'].lower()}/{item['metadata']['name']}"): {
            container["name"] for container in item["spec"]["template"]["spec"]["containers"]
        }
        for source in deployed(environment(name), tmp_path)
        for item in source.objects
        if item["kind"] in KINDS
    }
    assert rendered
    assert sorted(set(rendered) - set(known)) == []
    assert [key for key, containers in rendered.items() if known[key] not in containers] == []
    if third_party.FOLDER:
        assert {workload for _, workload in set(known) - set(rendered)} <= BY_OPERATORS


@pytest.mark.parametrize("name", ["dev", "prod"])
def test_names_of_parts_are_told_apart_within_a_component_and_one_is_the_main_one(name: str) -> None:
    settings = load_settings(name)
    for component in enabled_components(settings):
        found = list(component.parts(settings))
        assert len({part.name for part in found}) == len(found), component.name
        assert sum(part.main for part in found) <= 1, component.name
        assert {part.namespace for part in found} <= {
            rules.name for rules in component.namespaces(enabled_components(settings))
        }


@pytest.mark.parametrize("name", ["dev", "prod"])
def test_what_an_operator_runs_starts_before_the_operator_so_that_it_stops_after_it(name: str) -> None:
    order = [part.workload for part in parts(name)]
    assert order.index("deployment/prometheus-operator") > order.index("statefulset/prometheus-prometheus")
    clickhouse = order.index("statefulset/chi-opik-clickhouse-cluster-0-0")
    assert order.index("deployment/altinity-clickhouse-operator") > clickhouse
