"""One proxy for everything that goes out: traffic rules, connections, names that are direct, policies, the cluster."""

from base64 import b64decode
from collections.abc import Iterable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization.pkcs12 import load_pkcs12

from stacks.platform.common.connections import Place
from stacks.platform.common.egress import ROOTS_VARIABLES, by_proxy, no_proxy, proxy_variables
from stacks.platform.common.known_roots import known_roots, trust_store
from stacks.platform.common.traffic import API_OUT, DNS, HTTPS_OUT, Direction, TrafficRule, allow_https_out
from stacks.platform.components.egress.policies import given_roots, policies
from stacks.platform.components.enabled import enabled_components
from stacks.settings import load_settings, parse_settings
from stacks.settings.egress import expiry_notes
from tests.support.stacks.synthesis import Synthesized, synthesize

FILE = Path(__file__).parents[2] / "environments" / "valid.egress_proxy.yaml"
PRIVATE = FILE.with_name("valid.private_with_tailscale.yaml")
SETTINGS = parse_settings(FILE.read_text("utf-8"), FILE.name)
PROXY, DIRECT = "10.9.0.0/28", "10.8.0.0/16"


def ends(rules: Iterable[TrafficRule]) -> list[tuple[str, list[str | None], list[int]]]:
    return [(rule.name, [peer.cidr for peer in rule.peers], [port.number for port in rule.ports]) for rule in rules]


def test_what_goes_to_the_internet_goes_to_the_proxy_instead() -> None:
    rules = by_proxy((DNS, allow_https_out("chat-to-internet", {"app": "chat"})), SETTINGS.network)
    assert rules[0] is DNS
    assert ends(rules[1:]) == [
        ("chat-to-internet-by-proxy", [PROXY], [3128]),
        ("chat-to-internet-direct", [DIRECT], [443]),
    ]
    assert {(rule.direction, str(rule.pods)) for rule in rules[1:]} == {(Direction.EGRESS, "{'app': 'chat'}")}


def test_whoever_calls_the_kubernetes_api_keeps_its_way_to_it() -> None:
    assert ends(by_proxy((HTTPS_OUT,), SETTINGS.network)) == [
        ("allow-https-out", ["0.0.0.0/0"], [443]),
        ("allow-https-out-by-proxy", [PROXY], [3128]),
    ]
    assert by_proxy((API_OUT,), SETTINGS.network) == (API_OUT,)


def test_without_a_proxy_nothing_changes() -> None:
    dev = load_settings("dev")
    assert by_proxy((HTTPS_OUT, API_OUT, DNS), dev.network) == (HTTPS_OUT, API_OUT, DNS)
    assert (no_proxy(dev), proxy_variables(dev), "egress" in enabled_components(dev)) == ((), {}, False)


def test_no_rule_and_no_connection_of_dev_s_components_forgets_the_proxy() -> None:
    """Whoever reaches the internet has a rule for the proxy, and says so in the connections."""
    everything = load_settings("dev").model_copy(update={"network": SETTINGS.network})
    components = enabled_components(everything)
    by_rule = {rules.name for rules in components.namespaces() for rule in rules.traffic if "-by-proxy" in rule.name}
    callers = {
        end.caller.namespace
        for end in components.connections()
        if end.receiver is Place.EGRESS_PROXY and end.needed and not isinstance(end.caller, Place)
    }
    assert by_rule == callers
    assert by_rule >= {"cert-manager", "chat", "databases", "external-secrets", "monitoring", "opik", "serving"}
    assert "ingress" not in by_rule


def test_names_of_the_cluster_and_private_addresses_are_direct() -> None:
    """Suffixes without a dot before: AKS refuses those, and programs differ about them."""
    names = no_proxy(SETTINGS)
    assert len(set(names)) == len(names)
    assert not [name for name in names if name.startswith((".", "*"))]
    assert {"svc", "cluster.local", "10.96.0.1", "10.96.0.0/16", "10.244.0.0/16", "10.40.0.0/16"} <= set(names)
    assert {"llm.acme.io", "llm-dev-u3cw3.vault.azure.net", "acme.io", DIRECT} <= set(names)
    assert "llmdevu3cw3.azurecr.io" not in names
    premium = SETTINGS.model_copy(update={"registry": SETTINGS.registry.model_copy(update={"tier": "Premium"})})
    assert {"llmdevu3cw3.azurecr.io", "llmdevu3cw3.westeurope.data.azurecr.io"} <= set(no_proxy(premium))
    public = SETTINGS.model_copy(update={"private_endpoints": False})
    assert "llm-dev-u3cw3.vault.azure.net" not in no_proxy(public)


def test_plain_http_has_no_proxy() -> None:
    given = proxy_variables(SETTINGS)
    assert {name: given[name] for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy")} == {
        "HTTP_PROXY": "",
        "http_proxy": "",
        "HTTPS_PROXY": "http://proxy.acme.io:3128",
        "https_proxy": "http://proxy.acme.io:3128",
    }


def test_java_goes_through_the_proxy_for_https_alone_but_for_names_of_the_cluster() -> None:
    """By a variable of the launcher: that of the virtual machine names the trust store, and both are needed."""
    given = proxy_variables(SETTINGS)["JDK_JAVA_OPTIONS"].split(" ")
    assert given[:2] == ["-Dhttps.proxyHost=proxy.acme.io", "-Dhttps.proxyPort=3128"]
    direct = given[2].removeprefix("-Dhttp.nonProxyHosts=").split("|")
    assert {"*.svc", "*.cluster.local", "10.96.0.1", "acme.io", "*.acme.io", "*.llm.acme.io"} <= set(direct)
    assert not [pattern for pattern in direct if "/" in pattern or pattern == "*"]
    assert ROOTS_VARIABLES["JAVA_TOOL_OPTIONS"].split(" ") == [
        "-Djavax.net.ssl.trustStore=/etc/trusted-roots/roots.p12",
        "-Djavax.net.ssl.trustStoreType=PKCS12",
    ]


@pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")
def test_java_s_trust_store_is_the_same_file_in_every_plan() -> None:
    roots = known_roots(SETTINGS.trust.company_roots)
    first = trust_store(roots)
    trust_store.cache_clear()
    assert trust_store(roots) == first
    found = load_pkcs12(b64decode(first), None).additional_certs
    assert len(found) == roots.count("-----BEGIN CERTIFICATE-----")
    # Beside the text, within a mebibyte.
    assert len(first) + len(roots) < 700_000


def test_with_an_internal_ca_pods_that_call_hosts_get_their_roots_from_trust_manager() -> None:
    """They alone wait for it: what it needs itself starts before, with what Terraform knows."""
    private = parse_settings(PRIVATE.read_text("utf-8"), PRIVATE.name)
    rules = enabled_components(private).namespaces()
    (name,) = policies(private, rules, roots="")["policies"]
    assert name == "bundled-roots"
    company = private.model_copy(update={"trust": SETTINGS.trust})
    rules = enabled_components(company).namespaces()
    found = policies(company, rules, roots="roots")["policies"]
    assert {"cert-manager", "external-secrets"} <= set(found["trusted-roots"]["namespaces"])
    assert {"chat", "opik"} & set(found["trusted-roots"]["namespaces"]) == set()
    assert {"chat", "opik"} == {one.name for one in rules if one.labels.get(found["bundled-roots"]["label"]) == "true"}
    moved = company.model_copy(update={"domain": "other.internal"})
    assert policies(moved, rules, roots="roots")["policies"]["bundled-roots"]["mark"] != found["bundled-roots"]["mark"]
    older = private.model_copy(update={"cluster": private.cluster.model_copy(update={"kubernetes_version": "1.35"})})
    # It has no such policies; the start page has its root all the same.
    assert "egress" not in enabled_components(older)
    assert {one.name for one in enabled_components(older).namespaces() if one.labels} == {"start"}


def test_roots_are_the_public_ones_and_the_company_s() -> None:
    roots = known_roots(SETTINGS.trust.company_roots)
    assert roots.endswith(SETTINGS.trust.company_roots[-1])
    assert roots.count("-----BEGIN CERTIFICATE-----") > 100
    assert "#" not in roots
    # A ConfigMap holds a mebibyte.
    assert len(roots) < 500_000


def test_a_policy_for_all_and_one_for_whoever_reaches_the_internet() -> None:
    rules = enabled_components(SETTINGS).namespaces()
    found = policies(SETTINGS, rules, roots="roots")["policies"]
    assert found["egress-proxy"]["namespaces"] == sorted(rule.name for rule in rules)
    assert found["trusted-roots"]["namespaces"] == given_roots(SETTINGS.trust, rules, bundled=SETTINGS.bundles_roots)
    assert {"gateway", "ingress", "node-metrics"} & set(found["trusted-roots"]["namespaces"]) == set()
    again = policies(SETTINGS, rules, roots="others")["policies"]
    assert again["egress-proxy"]["mark"] == found["egress-proxy"]["mark"]
    assert again["trusted-roots"]["mark"] != found["trusted-roots"]["mark"]


def test_a_root_that_ends_is_said_in_time() -> None:
    from datetime import UTC, datetime

    assert expiry_notes(SETTINGS.trust.company_roots, datetime(2026, 1, 1, tzinfo=UTC)) == [
        "trust.company_roots: CN=Acme Old Root,O=Acme has expired on 2020-12-31"
    ]
    assert expiry_notes(SETTINGS.trust.company_roots, datetime(2020, 11, 1, tzinfo=UTC)) == [
        "trust.company_roots: CN=Acme Old Root,O=Acme expires on 2020-12-31"
    ]
    assert expiry_notes((), datetime(2026, 1, 1, tzinfo=UTC)) == []


@pytest.fixture(scope="module")
def synthesized(tmp_path_factory: pytest.TempPathFactory) -> Synthesized:
    return synthesize(SETTINGS, tmp_path_factory.mktemp("egress"))


def _resources(synthesized: Synthesized, stack: str, kind: str) -> dict[str, dict[str, object]]:
    return dict(synthesized.stacks[stack]["resource"][kind])


def test_nodes_get_proxy_and_roots_from_aks(synthesized: Synthesized) -> None:
    (cluster,) = _resources(synthesized, "aks", "azurerm_kubernetes_cluster").values()
    config = cluster["http_proxy_config"]
    assert isinstance(config, dict)
    url = "http://proxy.acme.io:3128"
    assert (config["http_proxy"], config["https_proxy"], config["no_proxy"]) == (url, url, list(no_proxy(SETTINGS)))
    assert b64decode(config["trusted_ca"]).decode() == "".join(SETTINGS.trust.company_roots)
    certificates = cluster["custom_ca_trust_certificates_base64"]
    assert isinstance(certificates, list)
    assert [b64decode(one).decode() for one in certificates] == list(SETTINGS.trust.company_roots)


def test_every_pod_comes_after_the_policies(synthesized: Synthesized) -> None:
    everything = synthesized.stacks["platform"]["resource"]
    waits = {
        f"{kind}.{name}": set(one.get("depends_on", ()))
        for kind, ones in everything.items()
        for name, one in ones.items()
    }

    def comes_after(address: str) -> bool:
        return "helm_release.egress" in waits[address] or any(map(comes_after, waits[address]))

    makes_pods = [one for one in waits if one.startswith(("helm_release.", "kubernetes_job_v1."))]
    early = {one for one in makes_pods if not comes_after(one)}
    # Objects of the cluster itself, without a pod.
    assert early == {"helm_release.egress"}
    files = _resources(synthesized, "platform", "kubernetes_config_map_v1")
    mounted = {name for name in files if name.startswith("trusted-roots-")}
    assert mounted == {
        f"trusted-roots-{name}"
        for name in given_roots(
            SETTINGS.trust, enabled_components(SETTINGS).namespaces(), bundled=SETTINGS.bundles_roots
        )
    }
