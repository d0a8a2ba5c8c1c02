"""A domain is one environment's own, and none that anybody can register below."""

from pathlib import Path

import pytest

from scripts.core.notes.domain import domain_findings, joined_networks_notes
from stacks.settings import Settings, load_settings, parse_settings

ENVIRONMENTS = Path(__file__).parents[1] / "environments"


def _settings(**changed: object) -> Settings:
    return load_settings("dev").model_copy(update=changed)


@pytest.mark.parametrize("domain", ["co.uk", "com.au", "github.io", "gov.br"])
def test_a_public_suffix_is_refused(domain: str) -> None:
    (finding,) = domain_findings(_settings(domain=domain), {})
    assert "public suffix" in finding.message


@pytest.mark.parametrize("domain", ["llm.acme.co.uk", "acme.com", "llm.example.com"])
def test_a_domain_of_ones_own_is_not(domain: str) -> None:
    assert list(domain_findings(_settings(domain=domain), {})) == []


@pytest.mark.parametrize("domain", ["llm.acme.contosoo", "acme.inc0"])
def test_a_domain_ends_in_a_top_level_domain_that_there_is(domain: str) -> None:
    (finding,) = domain_findings(_settings(domain=domain), {})
    assert (
        finding.message == f"ends in .{domain.rpartition('.')[2]}, which is no top-level domain; write a public domain"
    )


@pytest.mark.parametrize("name", ["private_with_tailscale", "private_by_vpn", "everything_private"])
def test_a_private_zone_ends_as_its_network_likes(name: str) -> None:
    file = ENVIRONMENTS / f"valid.{name}.yaml"
    settings = parse_settings(file.read_text("utf-8"), file.name)
    assert list(domain_findings(settings, {})) == []
    (finding,) = domain_findings(settings, {"other": settings})
    assert "environments/other.yaml" in finding.message


def test_two_environments_have_two_domains() -> None:
    mine = _settings(domain="llm.acme.io")
    (finding,) = domain_findings(mine, {"prod": _settings(domain="llm.acme.io"), "test": _settings(domain="t.acme.io")})
    assert "environments/prod.yaml" in finding.message


def test_networks_that_meet_are_named_where_they_are_joined_with_others() -> None:
    prod = load_settings("prod")
    network = prod.network.model_copy(update={"private_client_ranges": ("10.9.0.0/16",)})
    (note,) = joined_networks_notes(_settings(network=network).network, {"prod": prod})
    assert "environments/prod.yaml" in note
    assert list(joined_networks_notes(_settings().network, {"prod": prod})) == []
