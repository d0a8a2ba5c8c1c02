"""Every check of Azure, under every way in which Azure can fail to answer: never a verdict, one clear sentence."""

import json
import threading

import pytest

from scripts.preflight.catalogue import CHECKS
from scripts.preflight.findings import Outcome
from tests.support.patience import PATIENCE_S
from tests.support.preflight.azure_api import AzureApi
from tests.support.preflight.dns_server import Zones, dns_server
from tests.support.preflight.surroundings import DOMAIN, EVERYTHING, result, sound, surroundings
from tests.support.web_servers import Reply

pytestmark = pytest.mark.slow

JSON = {"Content-Type": "application/json"}


def refused(status: int, code: str, message: str, **headers: str) -> Reply:
    return status, JSON | headers, json.dumps({"error": {"code": code, "message": message}}).encode()


FAULTS: dict[str, tuple[Reply, str]] = {
    "401": (
        refused(401, "ExpiredAuthenticationToken", "The access token expiry UTC time is earlier than now."),
        "Azure does not accept the login (ExpiredAuthenticationToken: The access token expiry UTC time is earlier than",
    ),
    "403": (
        refused(403, "AuthorizationFailed", "The client does not have authorization to perform action. If access"),
        "this login may not read it (AuthorizationFailed: The client does not have authorization to perform action)",
    ),
    "404": (refused(404, "InvalidResourceType", "The resource type could not be found."), "InvalidResourceType: The"),
    "409": (
        refused(409, "MissingSubscriptionRegistration", "The subscription is not registered to use the namespace."),
        "Azure answers with status 409 (MissingSubscriptionRegistration: The subscription is not registered",
    ),
    "429": (
        refused(429, "TooManyRequests", "Too many requests.", **{"Retry-After": "3600"}),
        "Azure refuses more requests for now (429); ask again in 3600 s",
    ),
    "500": (refused(500, "InternalServerError", "Something went wrong."), "Azure answers with status 500 (Internal"),
    "502": ((502, {"Content-Type": "text/html"}, b"<html>Bad Gateway</html>"), "Azure answers with status 502"),
    "503": (refused(503, "ServerBusy", "Try later."), "Azure answers with status 503 (ServerBusy: Try later"),
    "no JSON": ((200, {"Content-Type": "text/html"}, b"<html>sign in</html>"), "Azure's answer is of another shape"),
    "half of it": ((200, JSON, b'{"value": ['), "Azure's answer is of another shape"),
    "other shape": ((200, JSON, b'{"value": "no list", "values": 3, "data": 4, "state": 5}'), "of another shape ("),
    "null": ((200, JSON, b"null"), "Azure's answer is of another shape"),
}
OTHERS = ("tools", "login", "DNS", "CAA", "models", "sources", "egress proxy", "company roots")
"""Checks that ask something else than Azure, or nothing."""
ASKING = [check.name for check in CHECKS if check.name not in OTHERS]
# An unknown permission, feature or cluster is an answer to these.
MEANINGFUL = {
    ("features", "404"), ("registry rules", "404"), ("features", "other shape"), ("names", "404"),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("name", ASKING)
def test_a_check_that_gets_no_answer_says_so_and_judges_nothing(
    name: str, fault: str, azure: tuple[AzureApi, str]
) -> None:
    reply, sentence = FAULTS[fault]
    azure[0].fault = lambda _asked: reply
    everything = sound(
        cluster={"host_encryption": True},
        registry={"tier": "Premium"},
        operators={"ip_ranges": ["198.51.100.0/24"]},
    )
    found = result(name, surroundings(azure[1], everything))
    if (name, fault) in MEANINGFUL and found.outcome is not Outcome.NOT_CHECKED:
        assert found.not_checked == ""
        return
    assert found.outcome is Outcome.NOT_CHECKED, found
    assert sentence in found.not_checked
    assert "\n" not in found.not_checked
    assert "check itself failed" not in found.not_checked
    assert found.needs_login == (fault == "401")


@pytest.mark.parametrize("name", ASKING)
def test_a_connection_that_breaks_in_the_middle_is_no_answer(name: str, azure: tuple[AzureApi, str]) -> None:
    azure[0].breaking = "."
    everything = sound(cluster={"host_encryption": True}, registry={"tier": "Premium"},
                       operators={"ip_ranges": ["198.51.100.0/24"]})  # fmt: skip
    found = result(name, surroundings(azure[1], everything))
    assert found.outcome is Outcome.NOT_CHECKED, found
    assert found.not_checked.startswith("Azure"), found.not_checked


@pytest.mark.parametrize("name", ASKING)
def test_a_sound_subscription_passes(name: str, azure: tuple[AzureApi, str]) -> None:
    everything = sound(cluster={"host_encryption": True}, registry={"tier": "Premium"},
                       operators={"ip_ranges": ["198.51.100.0/24"]})  # fmt: skip
    zones = Zones({DOMAIN: {"A": ["192.0.2.1"]}, "contoso.com": {"NS": ["ns1.contoso.com."]}})
    with dns_server(zones) as port:
        found = result(name, surroundings(azure[1], everything, dns_port=port))
    assert (found.findings, found.not_checked) == ((), "")
    assert found.outcome is Outcome.PASSED


def test_a_server_that_hangs_is_given_up(azure: tuple[AzureApi, str]) -> None:
    released = threading.Event()

    def hangs(_asked: str) -> None:
        released.wait(PATIENCE_S)

    azure[0].fault = hangs
    found = result("regions", surroundings(azure[1], read_timeout_s=0.05))
    released.set()
    assert found.outcome is Outcome.NOT_CHECKED
    assert found.not_checked.startswith("Azure gave no answer: ")
    assert "Read timed out" in found.not_checked


def test_an_address_where_nobody_listens_is_no_answer() -> None:
    found = result("regions", surroundings("http://127.0.0.1:9"))
    assert found.not_checked.startswith("Azure gave no answer: ")


def test_a_short_wait_that_azure_asks_for_is_kept(azure: tuple[AzureApi, str]) -> None:
    waits: list[float] = []
    busy = [refused(429, "TooManyRequests", "Too many requests.", **{"Retry-After": "7"})]
    azure[0].fault = lambda _asked: busy.pop() if busy else None
    found = result("regions", surroundings(azure[1], waits=waits))
    assert found.outcome is Outcome.PASSED
    assert waits == [7.0]


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_server_that_recovers_is_asked_again(status: int, azure: tuple[AzureApi, str]) -> None:
    busy = [refused(status, "Busy", "Busy.")] * 2
    azure[0].fault = lambda _asked: busy.pop() if busy else None
    assert result("regions", surroundings(azure[1])).outcome is Outcome.PASSED
    assert len(azure[0].asked) == 3


def test_all_pages_of_a_list_are_read_and_the_login_goes_to_no_other_host(azure: tuple[AzureApi, str]) -> None:
    first = {"value": [], "nextLink": f"{azure[1]}/next?page=2"}
    azure[0].given(r"GET /subscriptions/[^/]+/locations$", first)
    azure[0].given(r"GET /next$", {"value": [{"name": "westeurope"}], "nextLink": None})
    assert result("regions", surroundings(azure[1])).outcome is Outcome.PASSED
    first["nextLink"] = "https://elsewhere.example.com/next"
    found = result("regions", surroundings(azure[1]))
    assert found.not_checked == "Azure's list goes on at another host, which gets no login"


def test_what_several_checks_need_is_asked_once(azure: tuple[AzureApi, str]) -> None:
    asked = surroundings(azure[1])
    for name in ("machines", "quota", "storage"):
        assert result(name, asked).outcome is Outcome.PASSED
    assert sum("Microsoft.Compute/skus" in line for line in azure[0].asked) == 1


def test_every_check_of_azure_is_played_here() -> None:
    assert ASKING == [
        "permissions", "directory", "resource providers", "features", "regions", "machines", "quota", "storage",
        "PostgreSQL", "names", "networks", "Kubernetes version", "registry rules", "policies", "DNS zone in Azure",
    ]  # fmt: skip
    assert {stack for check in CHECKS for stack in check.stacks} == set(EVERYTHING)
