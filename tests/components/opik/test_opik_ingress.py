"""Opik's login, ingress and traffic in both ingress modes."""

import re

import pytest
from ruamel.yaml import YAML

from stacks.platform.common.catalogue import HELM
from stacks.platform.common.ingress_annotations import RENEW_BEFORE_PERCENT, annotations
from stacks.platform.common.traffic import Direction, Peer
from stacks.platform.components.enabled import enabled_components
from stacks.platform.components.llm_gateway import address
from stacks.platform.components.opik import login, release, traffic
from stacks.platform.components.opik.names import BACKEND, LOGIN_ACCOUNT
from stacks.settings import load_settings
from stacks.settings.data import DataDisk
from tests.support.opik.settings import (
    ENVIRONMENTS,
    PROXY,
    Environment,
    login_configuration,
    login_options,
    opik_flows,
    opik_resources,
    settings_of,
)
from tests.support.stacks.components import images_of, namespaces, with_images
from tests.support.stacks.synthesis import synthesize


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_login_proves_itself_without_a_secret_as_the_account_that_entra_trusts(name: str) -> None:
    settings = load_settings(name)
    (provider,) = login_configuration(settings)["providers"]
    assert provider["provider"] == "entra-id"
    assert provider["microsoftEntraIDConfig"]["federatedTokenAuth"] is True
    assert provider["code_challenge_method"] == "S256"
    assert not [option for option in (*provider, *login_options(settings)) if "secret" in option.lower()]
    fixed = YAML(typ="safe").load((HELM / "oauth2-proxy" / "values.yaml").read_text())
    assert fixed["config"]["requiredSecretKeys"] == ["cookie-secret"]
    assert fixed["podLabels"]["azure.workload.identity/use"] == "true"
    assert (fixed["serviceAccount"]["name"], login.RELEASE) == (LOGIN_ACCOUNT.name, LOGIN_ACCOUNT.name)
    assert LOGIN_ACCOUNT in enabled_components(settings).login_accounts().values()
    wired = login.oauth2_proxy(settings, images_of(settings), **PROXY)
    assert wired["serviceAccount"]["annotations"]["azure.workload.identity/client-id"] == "client"


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_only_the_access_group_passes(name: str) -> None:
    (provider,) = login_configuration(load_settings(name))["providers"]
    assert provider["allowedGroups"] == ["group", *load_settings(name).operators.object_ids]
    assert provider["microsoftEntraIDConfig"]["allowedTenants"] == ["tenant"]
    assert not [option for option in login_options(load_settings(name)) if option.startswith("skip-auth")]


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_programs_pass_with_a_token_and_are_never_sent_to_a_login_page(name: str) -> None:
    options = login_options(load_settings(name))
    assert options["skip-jwt-bearer-tokens"] == ["true"]
    assert options["bearer-token-login-fallback"] == ["false"]
    (api, *_) = options["api-route"]
    assert re.match(api, "/api/v1/private/otel/v1/traces")
    assert not re.match(api, "/default/home")


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_login_returns_to_the_address_that_the_application_allows(environment: Environment, name: str) -> None:
    applications = environment(name).resources("identity", "azuread_application")
    (application,) = applications.values()
    assert login_options(load_settings(name))["redirect-url"][0] in application["web"]["redirect_uris"]


def test_headers_of_the_front_door_count_and_nobody_elses() -> None:
    nginx, gateway = settings_of("dev"), settings_of("prod")
    assert login_options(nginx)["trusted-proxy-ip"] == [str(nginx.network.pod_cidr)]
    assert login_options(gateway)["trusted-proxy-ip"] == [str(gateway.network.gateway_subnet)]


def test_both_ingress_modes_have_the_same_login_but_for_where_addresses_come_from() -> None:
    nginx = settings_of("dev")
    gateway = nginx.model_copy(update={"ingress": load_settings("prod").ingress})
    differing = {name for name, values in login_options(nginx).items() if login_options(gateway)[name] != values}
    assert differing == {"trusted-proxy-ip", "real-client-ip-header"}
    assert set(login_options(gateway)) - set(login_options(nginx)) == {"auth-logging-format", "request-logging-format"}


def test_sessions_are_out_of_reach_of_evaluation_code() -> None:
    fixed = YAML(typ="safe").load((HELM / "oauth2-proxy" / "values.yaml").read_text())
    assert fixed["sessionStorage"]["type"] == "redis"
    assert fixed["sessionStorage"]["redis"]["standalone"]["connectionUrl"] == f"redis://{login.SESSIONS}:6379"
    callers = [
        dict(peer.pods)
        for flow in opik_flows(settings_of())
        if flow.direction is Direction.INGRESS and flow.pods == traffic.SESSIONS
        for peer in flow.peers
    ]
    assert callers == [traffic.LOGIN]


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_only_the_login_is_reached_from_outside(environment: Environment, name: str) -> None:
    (ingress,) = opik_resources(environment, name, "ingress").values()
    (rule,) = ingress["spec"]["rule"]
    (path,) = rule["http"]["path"]
    assert (path["path"], path["path_type"]) == ("/", "Prefix")
    assert path["backend"]["service"] == {"name": "oauth2-proxy", "port": {"number": 80}}
    (tls,) = ingress["spec"]["tls"]
    assert tls["hosts"] == [rule["host"]] == [f"opik.{load_settings(name).domain}"]
    callers = {
        flow.name: (tuple(peer.namespace for peer in flow.peers), flow.pods, [port.number for port in flow.ports])
        for flow in opik_flows(load_settings(name))
        if flow.direction is Direction.INGRESS and any(peer.namespace != "opik" for peer in flow.peers)
    }
    del callers["allow-challenge"]
    (_, pods, ports) = callers.pop("front-door-to-login")
    assert (pods, ports) == (traffic.LOGIN, [4180])
    # What else comes from without the namespace comes from within the cluster.
    assert {namespace for namespaces_, _, _ in callers.values() for namespace in namespaces_} <= {
        "gateway",
        "monitoring",
    }


def test_nginx_takes_500_mb_streams_answers_and_lets_challenges_through() -> None:
    given = annotations(settings_of("dev").ingress, login.EXPOSURE)
    assert given["nginx.org/client-max-body-size"] == "500m"
    assert given["nginx.org/proxy-buffering"] == "False"
    assert given["nginx.org/proxy-read-timeout"] == "600s"
    assert given["nginx.org/websocket-services"] == "oauth2-proxy"
    assert given["acme.cert-manager.io/http01-edit-in-place"] == "true"
    assert not [key for key in given if key.startswith(("nginx.ingress.kubernetes.io", "appgw."))]


def test_gateway_redirects_waits_long_and_probes_without_login() -> None:
    given = annotations(settings_of("prod").ingress, login.EXPOSURE)
    prefix = "appgw.ingress.kubernetes.io"
    assert given[f"{prefix}/ssl-redirect"] == "true"
    assert given[f"{prefix}/request-timeout"] == "600"
    assert given[f"{prefix}/health-probe-path"] == "/ping"
    assert not [key for key in given if key.startswith("nginx")]


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_certificate_is_renewed_by_a_share_of_its_life(name: str) -> None:
    given = annotations(load_settings(name).ingress, login.EXPOSURE)
    assert given["cert-manager.io/cluster-issuer"] == f"letsencrypt-{load_settings(name).ingress.acme_issuer}"
    assert given["cert-manager.io/renew-before-percentage"] == str(RENEW_BEFORE_PERCENT)
    # Much above a third, certificates would be renewed all the time as their lives get shorter.
    assert 20 <= RENEW_BEFORE_PERCENT <= 40
    assert "cert-manager.io/renew-before" not in given


def test_hsts_is_sent_once_in_either_mode() -> None:
    nginx = YAML(typ="safe").load((HELM / "nginx-ingress" / "values.yaml").read_text())["controller"]["config"][
        "entries"
    ]
    assert nginx["hsts"] == "True"
    header = "Strict-Transport-Security"
    assert header not in release.opik(*with_images(settings_of("dev")))["component"]["frontend"].get(
        "extraServerHeaders", {}
    )
    assert header in release.opik(*with_images(settings_of("prod")))["component"]["frontend"]["extraServerHeaders"]


def test_every_flow_inside_the_namespace_is_opened_at_both_ends() -> None:
    ends: dict[str, set[Direction]] = {}
    for flow in opik_flows(settings_of("dev", opik={"guardrails_pool": "t4"})):
        if all(peer.namespace == "opik" for peer in flow.peers):
            ends.setdefault(flow.name.rpartition("-")[0], set()).add(flow.direction)
    assert len(ends) > 10
    assert all(directions == {Direction.INGRESS, Direction.EGRESS} for directions in ends.values())


def test_evaluation_code_reaches_nothing_and_is_called_by_the_backend_alone() -> None:
    flows = [
        flow for flow in opik_flows(settings_of(opik={"python_evaluators": True})) if flow.pods == traffic.EVALUATOR
    ]
    assert [flow.direction for flow in flows] == [Direction.INGRESS]
    assert [peer for flow in flows for peer in flow.peers] == [Peer(namespace="opik", pods=dict(BACKEND))]
    assert [port.number for flow in flows for port in flow.ports] == [8000]


def test_the_backend_may_reach_the_models() -> None:
    reached = [
        (peer.namespace, [port.number for port in flow.ports])
        for flow in opik_flows(settings_of())
        if flow.direction is Direction.EGRESS and flow.pods == BACKEND
        for peer in flow.peers
        if peer.namespace not in (None, "opik")
    ]
    assert reached == [(address.NAMESPACE, [address.PORT])]


def test_flows_of_opik_do_not_reach_other_applications() -> None:
    opik = {flow.name for flow in opik_flows(settings_of())} - {"allow-dns", "allow-challenge"}
    chat = {flow.name for rules in namespaces(settings_of()) if rules.name == "chat" for flow in rules.traffic}
    assert opik.isdisjoint(chat)
    assert Peer(namespace="ingress") in [peer for flow in opik_flows(settings_of()) for peer in flow.peers]


def test_disabled_opik_leaves_nothing_in_the_cluster(tmp_path_factory: pytest.TempPathFactory) -> None:
    stacks = synthesize(settings_of("dev", opik={"enabled": False}), tmp_path_factory.mktemp("without"))
    assert "opik" not in stacks.resources("platform", "helm_release")
    volumes = stacks.resources("platform", "kubernetes_persistent_volume_v1")
    assert [address for address in volumes if address.startswith("opik-")] == []
    assert len(stacks.resources("disks", "azurerm_managed_disk")) == len(DataDisk)
