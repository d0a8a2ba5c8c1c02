"""What controllers make while the platform runs is let into the namespaces that they make it in."""

import re
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from stacks.platform.common.catalogue import own_chart
from stacks.platform.common.namespaces import NamespaceRules, PodSecurity
from stacks.settings import load_settings
from tests.support.stacks.components import namespaces

MADE: list[dict[str, Any]] = YAML(typ="safe").load(
    Path(__file__).parents[1] / "support" / "cluster" / "runtime_objects.yaml"
)
INGRESSES = ("chat", "opik", "gateway", "monitoring")
NODE_PORTS = {"NodePort", "LoadBalancer"}


def _cases() -> list[Any]:
    return [
        pytest.param(environment, made, id=f"{environment}-{made['name']}")
        for environment in ("dev", "prod")
        for made in MADE
    ]


def _places(environment: str, made: dict[str, Any]) -> list[NamespaceRules]:
    names = INGRESSES if made["where"] == "ingresses" else (made["where"],)
    found = [rules for rules in namespaces(load_settings(environment)) if rules.name in names]
    assert len(found) == len(names)
    return found


def _service_type(made: dict[str, Any]) -> str:
    """Return the type that a Service gets; a solver's is named by the issuers' chart, else it is cert-manager's own."""
    if not made.get("type_from_issuer"):
        return str(made["object"]["spec"].get("type", "ClusterIP"))
    chart = own_chart("platform-issuers")
    assert chart
    named = re.search(r"^ +serviceType: (\w+)$", (chart / "templates" / "issuers.yaml").read_text(), re.MULTILINE)
    return named[1] if named else str(made["object"]["spec"]["type"])


@pytest.mark.parametrize(("environment", "made"), _cases())
def test_quota_lets_in_what_a_controller_makes(environment: str, made: dict[str, Any]) -> None:
    for rules in _places(environment, made):
        if made["object"]["kind"] == "Service":
            assert _service_type(made) not in NODE_PORTS or rules.quota["services.nodeports"] != "0", rules.name
            continue
        assert int(rules.quota["pods"]) > 0
        for container in made["object"]["spec"]["containers"]:
            stated = container.get("resources", {})
            for bounded, given, default in (
                ("requests", stated.get("requests", {}), rules.container_requests),
                ("limits", stated.get("limits", {}), rules.container_defaults),
            ):
                asked = {key.split(".")[1] for key in rules.quota if key.startswith(f"{bounded}.")}
                assert asked <= {*given, *default}, f"{rules.name}: {container['name']} states no {bounded}"


@pytest.mark.parametrize(("environment", "made"), _cases())
def test_pod_security_lets_in_what_a_controller_makes(environment: str, made: dict[str, Any]) -> None:
    for rules in _places(environment, made):
        if made["object"]["kind"] == "Pod" and rules.enforced is PodSecurity.RESTRICTED:
            pod = made["object"]["spec"]
            shared = pod["securityContext"]
            for container in (*pod.get("initContainers", ()), *pod["containers"]):
                own = container["securityContext"]
                assert (shared | own)["runAsNonRoot"] is True
                assert (shared | own)["seccompProfile"]["type"] == "RuntimeDefault"
                assert own["allowPrivilegeEscalation"] is False
                assert own["capabilities"] == {"drop": ["ALL"]}
