"""The charts that lead to private names, rendered by Helm: the zone's CoreDNS and the tailnet's router."""

from pathlib import Path

import pytest

from tests.support.kubernetes.own_charts import FOUND, TAILNET, objects_of, values_of

pytestmark = [
    pytest.mark.programs,
    pytest.mark.skipif(FOUND is None, reason="helm is not on PATH; the CI set brings it"),
]


def test_the_tailnet_is_let_to_the_two_private_addresses_and_nowhere_else(tmp_path: Path) -> None:
    objects = objects_of("tailscale-router", values_of("tailscale-router", TAILNET), tmp_path)
    (connector,) = (item["spec"] for item in objects if item["kind"] == "Connector")
    assert connector["subnetRouter"] == {"advertiseRoutes": ["10.40.18.4/32", "10.40.18.5/32"]}
    assert (connector["replicas"], connector["tags"]) == (2, ["tag:llm-platform"])


def test_coredns_answers_for_the_zone_at_an_internal_address_alone(tmp_path: Path) -> None:
    objects = objects_of("private-dns", values_of("private-dns", TAILNET), tmp_path)
    by_kind = {item["kind"]: item for item in objects}
    assert by_kind["Service"]["metadata"]["annotations"] == {
        "service.beta.kubernetes.io/azure-load-balancer-internal": "true",
        "service.beta.kubernetes.io/azure-load-balancer-internal-subnet": "ingress",
        "service.beta.kubernetes.io/azure-load-balancer-ipv4": "10.40.18.5",
    }
    files = by_kind["ConfigMap"]["data"]
    assert "* IN A 10.40.18.4" in files["zone"]
    assert [line for line in files["Corefile"].splitlines() if line.endswith("{")] == ["llm.internal:5353 {"]
