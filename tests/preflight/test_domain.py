"""Delegation, zones in Azure and CAA records, asked of a real DNS server in the real wire format."""

from collections.abc import Iterator
from typing import Any

import pytest

from scripts.preflight.findings import Outcome
from scripts.preflight.run import Result
from tests.support.preflight.azure_api import AzureApi
from tests.support.preflight.dns_server import Zones, dns_server
from tests.support.preflight.surroundings import DOMAIN, result, surroundings
from tests.support.stacks.durable import settings

Azure = tuple[AzureApi, str]
HOSTS = "chat.llm.contoso.com, api.llm.contoso.com, opik.llm.contoso.com, grafana.llm.contoso.com"


@pytest.fixture
def dns() -> Iterator[tuple[Zones, int]]:
    zones = Zones(
        {
            "contoso.com": {"NS": ["ns1.contoso.com.", "ns2.contoso.com."]},
            "ns1.contoso.com": {"A": ["127.0.0.1"]},
            "ns2.contoso.com": {"A": ["127.0.0.1"]},
            DOMAIN: {"TXT": ['"here"']},
        }
    )
    with dns_server(zones) as port:
        yield zones, port


def looked(name: str, azure: Azure, dns: tuple[Zones, int], environment: Any = None) -> Result:
    return result(name, surroundings(azure[1], environment, dns_port=dns[1]))


def sentences(name: str, azure: Azure, dns: tuple[Zones, int]) -> list[str]:
    found = looked(name, azure, dns)
    assert not found.not_checked, found.not_checked
    return [f"{finding.outcome}: {finding.what} -> {finding.fix}" for finding in found.findings]


def test_a_domain_that_is_delegated_passes(azure: Azure, dns: tuple[Zones, int]) -> None:
    assert sentences("DNS", azure, dns) == []
    assert sentences("CAA", azure, dns) == []


def test_a_domain_that_does_not_exist(azure: Azure, dns: tuple[Zones, int]) -> None:
    dns[0].records.clear()
    assert sentences("DNS", azure, dns) == [
        "failed: domain: contoso.com does not exist in DNS -> register it, or correct domain in environments/dev.yaml"
    ]


def test_a_delegation_to_servers_that_know_nothing_of_it(azure: Azure, dns: tuple[Zones, int]) -> None:
    dns[0].authoritative = False
    assert sentences("DNS", azure, dns) == [
        (
            "failed: domain: contoso.com is delegated to ns1.contoso.com, ns2.contoso.com, and ns1.contoso.com is no"
            " server"
            " of it -> dig @ns1.contoso.com contoso.com SOA; correct the NS records of contoso.com at its parent zone"
        )
    ]


def test_a_delegation_to_servers_without_an_address(azure: Azure, dns: tuple[Zones, int]) -> None:
    dns[0].records["contoso.com"]["NS"] = ["ns1.nowhere.example."]
    (line,) = sentences("DNS", azure, dns)
    assert "is delegated to ns1.nowhere.example, and ns1.nowhere.example has no address ->" in line


def test_a_zone_whose_servers_fail(azure: Azure, dns: tuple[Zones, int]) -> None:
    dns[0].broken = {"contoso.com", DOMAIN}
    (line,) = sentences("DNS", azure, dns)
    assert line.startswith("failed: domain: no server answers for contoso.com (SERVFAIL) -> dig +trace")


def test_servers_that_a_firewall_hides_are_no_failure(azure: Azure, dns: tuple[Zones, int]) -> None:
    dns[0].records["ns1.contoso.com"] = {"A": ["127.0.0.2"]}
    dns[0].authoritative = True
    assert sentences("DNS", azure, dns) == []


@pytest.mark.parametrize("name", ["DNS", "CAA"])
@pytest.mark.slow
def test_a_resolver_that_does_not_answer_is_not_checked(name: str, azure: Azure, dns: tuple[Zones, int]) -> None:
    dns[0].silent = {"contoso.com", DOMAIN, f"chat.{DOMAIN}", "com", f"api.{DOMAIN}"}
    found = looked(name, azure, dns)
    assert found.outcome is Outcome.NOT_CHECKED
    assert found.not_checked.startswith("no answer about ")
    assert found.not_checked.endswith("from the resolver (LifetimeTimeout)")


def test_an_ipv6_address_leads_certificates_astray(azure: Azure, dns: tuple[Zones, int]) -> None:
    dns[0].records[f"chat.{DOMAIN}"] = {"AAAA": ["2001:db8::1"]}
    assert sentences("DNS", azure, dns) == [
        (
            "warning: domain: chat.llm.contoso.com has an AAAA record, the platform has an IPv4 address alone ->"
            " remove the"
            " AAAA record"
        )
    ]


@pytest.mark.parametrize("name", ["DNS", "CAA", "DNS zone in Azure"])
def test_a_placeholder_is_not_looked_up(name: str, azure: Azure, dns: tuple[Zones, int]) -> None:
    found = looked(name, azure, dns, settings())
    assert found.not_checked == "domain is a placeholder; write a domain of your own"


# --- zone in Azure ---------------------------------------------------------------------------------------------------


def zone(azure: Azure, name: str, *servers: str) -> None:
    azure[0].given("/dnszones$", {"value": [{"name": name, "id": "z", "properties": {"nameServers": list(servers)}}]})


def test_a_zone_in_azure_that_the_registrar_does_not_know(azure: Azure, dns: tuple[Zones, int]) -> None:
    zone(azure, "contoso.com", "ns1-01.azure-dns.com.", "ns2-01.azure-dns.net.")
    assert sentences("DNS zone in Azure", azure, dns) == [
        (
            "failed: domain: the zone contoso.com in Azure is not delegated: DNS names ns1.contoso.com,"
            " ns2.contoso.com, Azure"
            " ns1-01.azure-dns.com, ns2-01.azure-dns.net -> write NS records of contoso.com with ns1-01.azure-dns.com,"
            " ns2-01.azure-dns.net at its parent zone or registrar"
        )
    ]


def test_a_zone_below_the_delegated_one_is_found_by_nobody(azure: Azure, dns: tuple[Zones, int]) -> None:
    zone(azure, DOMAIN, "ns1.contoso.com.")
    (line,) = sentences("DNS zone in Azure", azure, dns)
    assert line.startswith("failed: domain: the zone llm.contoso.com in Azure is not delegated")
    dns[0].records[DOMAIN]["NS"] = ["ns1.contoso.com."]
    assert sentences("DNS zone in Azure", azure, dns) == []


def test_a_zone_of_another_domain_says_nothing(azure: Azure, dns: tuple[Zones, int]) -> None:
    zone(azure, "nother-contoso.com", "ns1-01.azure-dns.com.")
    assert sentences("DNS zone in Azure", azure, dns) == []


# --- CAA -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("at", "records", "why"),
    [
        ("contoso.com", ['0 issue "digicert.com"'], "allow digicert.com and not letsencrypt.org"),
        (DOMAIN, ['0 issue ";"'], "allow nobody and not letsencrypt.org"),
        (
            DOMAIN,
            ['0 issue "letsencrypt.org; validationmethods=dns-01"'],
            "allow letsencrypt.org without the method http-01, which the platform uses",
        ),
        (
            DOMAIN,
            ['0 issue "letsencrypt.org"', '128 tbs "unknown"'],
            "hold the critical property tbs, which Let's Encrypt does not know",
        ),
    ],
)
def test_authorities_that_may_not_issue(
    at: str, records: list[str], why: str, azure: Azure, dns: tuple[Zones, int]
) -> None:
    dns[0].records[at]["CAA"] = records
    (line,) = sentences("CAA", azure, dns)
    assert line.startswith(f"failed: domain: the CAA records of {at} {why} (")
    assert line.endswith(f'-> add the record {at}. CAA 0 issue "letsencrypt.org"')
    assert all(host in line for host in HOSTS.split(", ")), "all hosts at once, in one sentence"


@pytest.mark.parametrize(
    "records",
    [
        ['0 issue "letsencrypt.org"', '0 issue "digicert.com"'],
        ['0 issue "letsencrypt.org; accounturi=https://acme.example/1; validationmethods=http-01"'],
        ['0 iodef "mailto:security@contoso.com"'],
        ['0 issuewild ";"'],
    ],
)
def test_authorities_that_let_the_platform_in(records: list[str], azure: Azure, dns: tuple[Zones, int]) -> None:
    dns[0].records["contoso.com"]["CAA"] = records
    assert sentences("CAA", azure, dns) == []


def test_the_closest_records_count(azure: Azure, dns: tuple[Zones, int]) -> None:
    dns[0].records["contoso.com"]["CAA"] = ['0 issue "digicert.com"']
    dns[0].records[DOMAIN]["CAA"] = ['0 issue "letsencrypt.org"']
    assert sentences("CAA", azure, dns) == []
    dns[0].records[f"chat.{DOMAIN}"] = {"CAA": ['0 issue ";"']}
    (line,) = sentences("CAA", azure, dns)
    assert "the CAA records of chat.llm.contoso.com allow nobody" in line


def test_records_that_cannot_be_read_keep_lets_encrypt_from_issuing(azure: Azure, dns: tuple[Zones, int]) -> None:
    dns[0].broken = {DOMAIN}
    (line,) = sentences("CAA", azure, dns)
    assert "llm.contoso.com answers SERVFAIL -> dig llm.contoso.com CAA; have the servers of the zone answer" in line
