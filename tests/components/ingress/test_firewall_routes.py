"""The firewall of the Application Gateway lets allowed routes through alone: its rules in a real ModSecurity."""

from collections.abc import Iterator
from typing import Any

import pytest

from scripts.lab.routes.tables import PROGRAMS, read, samples
from stacks.common.request_headers import IDENTITY_HEADERS, ROUTING_HEADERS
from stacks.settings import load_settings
from tests.support.ingress.firewall_rules import APACHE, MODULES, RULES, Firewall, running_firewall
from tests.support.ingress.requests import ask, plain
from tests.support.ingress.route_corpus import LISTED, OF_ANOTHER_VERSION, PROBES, REACHED, REFUSED, TRICKS, written
from tests.support.stacks.disposable import network_stack

MODSECURITY = pytest.mark.skipif(
    not (APACHE and RULES.is_dir() and (MODULES / "mod_security2.so").is_file()),
    reason="Debian's libapache2-mod-security2 and modsecurity-crs are not installed",
)
DOMAIN = load_settings("prod").domain
# The gateway has a listener for each host, so that a request for another one ends before the firewall.
OTHERS = [trick for trick in TRICKS if "//other" not in trick]
CLIENT = ("User-Agent: python-requests/2.32.4", "Accept: */*", "Content-Type: application/json")


def _policy() -> dict[str, Any]:
    (policy,) = network_stack("prod")["resource"]["azurerm_web_application_firewall_policy"].values()
    found: dict[str, Any] = policy
    return found


@pytest.fixture(scope="module", name="firewall")
def _firewall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Firewall]:
    with running_firewall(tmp_path_factory.mktemp("firewall"), _policy()) as found:
        yield found


def _passes(firewall: Firewall, method: str, path: str, label: str, *headers: str) -> bool:
    body = b"{}" if method in {"POST", "PUT", "PATCH"} else b""
    return ask(firewall.port, plain(method, path, f"{label}.{DOMAIN}", *CLIENT, *headers, body=body)) == 200


@pytest.mark.programs
@MODSECURITY
@pytest.mark.parametrize(("label", "method", "path"), REACHED)
def test_what_people_and_programs_ask_for_passes(firewall: Firewall, label: str, method: str, path: str) -> None:
    assert _passes(firewall, method, path, label)


@pytest.mark.programs
@MODSECURITY
@pytest.mark.parametrize(("label", "method", "path"), REFUSED)
def test_what_administers_is_refused(firewall: Firewall, label: str, method: str, path: str) -> None:
    assert not _passes(firewall, method, path, label)


@pytest.mark.programs
@MODSECURITY
@pytest.mark.parametrize(("label", "method", "path", "reached"), OF_ANOTHER_VERSION)
def test_a_route_or_method_of_another_version_is_not_let_through(
    firewall: Firewall, label: str, method: str, path: str, reached: bool
) -> None:
    assert _passes(firewall, method, path, label) == reached


@pytest.mark.programs
@MODSECURITY
@pytest.mark.parametrize("name", LISTED)
def test_every_route_of_a_pinned_program_passes_by_its_method(firewall: Firewall, name: str) -> None:
    program, (label, entries) = PROGRAMS[name], LISTED[name]
    refused = [
        f"{method} {sample}"
        for (method, path), entry in read(program)[1].items()
        if entry in entries
        for sample in samples(program.prefix + path)
        if not _passes(firewall, method, sample, label)
    ]
    assert refused == []


@pytest.mark.programs
@MODSECURITY
@pytest.mark.parametrize("label", PROBES)
@pytest.mark.parametrize("trick", OTHERS)
def test_no_way_of_writing_a_path_passes(firewall: Firewall, label: str, trick: str) -> None:
    target = written(trick, label, f"{label}.{DOMAIN}")
    for method in ("GET", "POST"):
        assert not _passes(firewall, method, target, label)


@pytest.mark.programs
@MODSECURITY
@pytest.mark.parametrize("label", PROBES)
def test_claimed_identities_other_methods_and_protocols_are_refused(firewall: Firewall, label: str) -> None:
    allowed = PROBES[label][0]
    assert _passes(firewall, "GET", allowed, label)
    for name in (*IDENTITY_HEADERS, *ROUTING_HEADERS):
        assert not _passes(firewall, "GET", allowed, label, f"{name}: forged"), name
    for method in ("TRACE", "PROPFIND", "MKCOL", "GETX", "get"):
        assert not _passes(firewall, method, allowed, label)
    for protocol in ("h2c", "websocket"):
        assert not _passes(firewall, "GET", allowed, label, f"Upgrade: {protocol}", "Connection: Upgrade")


@pytest.mark.programs
@MODSECURITY
@pytest.mark.parametrize(
    ("label", "path", "passes"),
    [
        ("chat", "/ws/socket.io/?EIO=4&transport=websocket", True),
        ("grafana", "/api/live/ws", True),
        ("chat", "/api/v1/terminals/one/api/terminals/two", False),
        ("api", "/v1/realtime", False),
    ],
)
def test_web_sockets_pass_where_the_pages_need_one(firewall: Firewall, label: str, path: str, passes: bool) -> None:
    assert _passes(firewall, "GET", path, label, "Upgrade: websocket", "Connection: Upgrade") == passes


@pytest.mark.programs
@MODSECURITY
@pytest.mark.parametrize("label", PROBES)
def test_challenges_pass(firewall: Firewall, label: str) -> None:
    assert _passes(firewall, "GET", "/.well-known/acme-challenge/a-Token_1", label)


def test_rules_are_of_a_size_that_azure_takes() -> None:
    """At most a hundred rules; alternatives and their length as in Azure Front Door, whose limits are published."""
    rules = _policy()["custom_rules"]
    assert len(rules) < 100
    assert len({rule["name"] for rule in rules}) == len(rules)
    assert [rule["priority"] for rule in rules] == list(range(1, len(rules) + 1))
    for rule in rules:
        assert len(rule["match_conditions"]) <= 10
        assert rule["name"].isalnum()
        assert rule["name"][0].isalpha()
        for condition in rule["match_conditions"]:
            assert len(condition.get("match_values") or []) <= 10
            assert all(len(value) <= 256 for value in condition.get("match_values") or [])


def test_no_rule_needs_more_than_groups_classes_and_repetition() -> None:
    """Azure's engine knows neither looking around nor references."""
    values = [
        value
        for rule in _policy()["custom_rules"]
        for condition in rule["match_conditions"]
        for value in condition.get("match_values") or []
    ]
    assert [value for value in values if "(?" in value or r"\1" in value] == []
