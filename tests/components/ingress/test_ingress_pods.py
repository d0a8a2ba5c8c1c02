"""What stands behind the ingress ends without refusing anybody, and tells browsers to come by HTTPS."""

from typing import Any

import pytest
from ruamel.yaml import YAML

from stacks.platform.common.catalogue import HELM
from stacks.platform.components.chat.release import variables
from stacks.platform.components.ingress.release import nginx_ingress
from stacks.platform.components.monitoring.grafana import GrafanaAccess, grafana
from stacks.platform.components.opik import release as opik
from stacks.settings import load_settings
from tests.support.stacks.components import with_images

ACCESS = GrafanaAccess(
    tenant_id="t", login_client_id="c", group_id="g", identity_client_id="i", subscription_id="s", metrics_url=""
)


def _values(release: str) -> dict[str, Any]:
    found: dict[str, Any] = YAML(typ="safe").load(HELM / release / "values.yaml")
    return found


def test_nginx_sees_the_callers_address_and_waits_until_azure_sends_nobody_any_more() -> None:
    controller = _values("nginx-ingress")["controller"]
    # With Cluster, source ranges would judge the address of a node.
    assert controller["service"]["externalTrafficPolicy"] == "Local"
    wired = nginx_ingress(*with_images(load_settings("dev")), routes={}, address={}, backends=["chat"])["controller"]
    # Two probes of the load balancer, 5 seconds apart, and their way to every node.
    assert wired["lifecycle"] == {"preStop": {"sleep": {"seconds": 20}}}
    assert wired["terminationGracePeriodSeconds"] > 20 + 60


@pytest.mark.parametrize(
    ("release", "path"),
    [("oauth2-proxy", ("lifecycle",)), ("kube-prometheus-stack", ("grafana", "lifecycleHooks"))],
)
def test_the_front_door_forgets_a_pod_before_it_ends(release: str, path: tuple[str, ...]) -> None:
    found = _values(release)
    for key in path:
        found = found[key]
    assert found["preStop"]["sleep"]["seconds"] >= 10


@pytest.mark.parametrize(("environment", "sent"), [("dev", False), ("prod", True)])
def test_pages_send_hsts_themselves_behind_the_application_gateway_alone(environment: str, sent: bool) -> None:
    settings = load_settings(environment)
    chat = variables(settings, client_id="c")
    assert chat.get("HSTS") == ("max-age=31536000" if sent else None)
    dashboards = grafana(*with_images(settings), ACCESS)["env"]
    assert dashboards["GF_SECURITY_STRICT_TRANSPORT_SECURITY"] == ("true" if sent else "false")
    assert dashboards["GF_SECURITY_STRICT_TRANSPORT_SECURITY_MAX_AGE_SECONDS"] == "31536000"
    frontend = opik.opik(*with_images(settings))["component"]["frontend"]
    assert frontend.get("extraServerHeaders") == ({"Strict-Transport-Security": "max-age=31536000"} if sent else None)
    entries = _values("nginx-ingress")["controller"]["config"]["entries"]
    assert (entries["hsts"], entries["hsts-max-age"]) == ("True", "31536000")
