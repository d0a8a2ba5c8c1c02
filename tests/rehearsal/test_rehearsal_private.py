"""Private access in both shapes, deployed by the real Terraform; a new cluster answers at the same names and trust."""

from pathlib import Path

import pytest

from main import build_app
from scripts.core.tiers import DISPOSABLE, DURABLE, STACKS
from scripts.lab.rehearsal.cloud import Cloud, CloudObject
from scripts.lab.rehearsal.drive import Rehearsal
from stacks.settings import parse_settings

pytestmark = pytest.mark.rehearsal

ENVIRONMENTS = Path(__file__).parents[1] / "environments"
SHAPES = {"by_vpn": ("10.40.18.9", "10.40.18.20"), "with_tailscale": ("10.40.18.4", "10.40.18.5")}
"""Address of the ingress and of the nameserver."""
WITHOUT_THE_REST = "chat: {enabled: false}\nopik: {enabled: false}\n"
"""Parts of half the cluster's objects, which change nothing of how hosts are reached."""


def _kept(rehearsal: Rehearsal) -> dict[str, int]:
    """Return zone, records and the CA's place in the vault, and which life of each it is."""
    of_the_cluster = ("/roleAssignments/", "/virtualNetworkLinks/")
    return {
        found.id: found.generation
        for found in Cloud(rehearsal.folder).objects()
        if ("/privateDnsZones/llm." in found.id or "/secrets/kept-internal-ca" in found.id)
        and not any(part in found.id for part in of_the_cluster)
    }


def _public_addresses(rehearsal: Rehearsal) -> set[str]:
    ids = [found.id for found in Cloud(rehearsal.folder).objects() if "/publicIPAddresses/" in found.id]
    return {id_.partition("/publicIPAddresses/")[2].partition("/")[0] for id_ in ids}


@pytest.mark.parametrize("shape", SHAPES)
def test_address_zone_and_ca_are_the_same_for_a_new_cluster(shape: str, tmp_path: Path) -> None:
    file = ENVIRONMENTS / f"valid.private_{shape}.yaml"
    text = file.read_text("utf-8") + WITHOUT_THE_REST
    rehearsal = Rehearsal(parse_settings(text, file.name), tmp_path)
    rehearsal.workspace.output.mkdir(parents=True)
    build_app(rehearsal.settings, rehearsal.workspace.output).synth()
    first = rehearsal.rollout()
    assert first.apply(DURABLE, any_loss=False)
    assert first.apply(DISPOSABLE, any_loss=False)
    kept, addresses = _kept(rehearsal), rehearsal.outputs("address")
    assert {name.rpartition("/")[2] for name in kept} >= {"*", "@", rehearsal.settings.domain}
    assert (addresses["private_address"], addresses["nameserver_address"]) == SHAPES[shape]
    assert _public_addresses(rehearsal) == {"llm-dev-outbound"}

    assert rehearsal.rollout(destroy=True).apply(DISPOSABLE, any_loss=True)
    assert _kept(rehearsal) == kept
    assert rehearsal.rollout().apply(DISPOSABLE, any_loss=False)
    assert _kept(rehearsal) == kept
    assert rehearsal.outputs("address") == addresses
    last = rehearsal.rollout()
    last.plan()
    assert {name: str(plan.changes) for name, plan in last.plans.items()} == dict.fromkeys(STACKS, "no changes")


def _owned_by_somebody_else(rehearsal: Rehearsal) -> None:
    groups = f"/subscriptions/{rehearsal.settings.azure.subscription_id}/resourceGroups"
    there = {
        f"{groups}/dns": "azurerm_resource_group",
        f"{groups}/hub": "azurerm_resource_group",
        str(rehearsal.settings.private_access.zone_id): "azurerm_private_dns_zone",
        str(rehearsal.settings.network.existing_network_id): "azurerm_virtual_network",
    }
    for id_, type_ in there.items():
        state = {"id": id_, "name": id_.rpartition("/")[2], "location": "westeurope"}
        Cloud(rehearsal.folder).create(
            CloudObject(
                key=id_.lower(), provider="azurerm", type=type_, id=id_, scope="", stack="", address="", generation=1,
                state=state,
            )
        )  # fmt: skip


def test_a_network_a_zone_and_a_resolver_that_exist_are_used_and_not_made(tmp_path: Path) -> None:
    file = ENVIRONMENTS / "valid.private_with_own_certificate.yaml"
    text = file.read_text("utf-8").replace("nameserver: none", "nameserver: none\n  nameserver_address: 10.0.0.53")
    rehearsal = Rehearsal(parse_settings(text + WITHOUT_THE_REST, file.name), tmp_path)
    rehearsal.workspace.output.mkdir(parents=True)
    build_app(rehearsal.settings, rehearsal.workspace.output).synth()
    _owned_by_somebody_else(rehearsal)
    first = rehearsal.rollout()
    assert first.apply(DURABLE, any_loss=False)
    assert first.apply(("network",), any_loss=False)
    made = [found.id for found in Cloud(rehearsal.folder).objects() if found.stack]
    subnets = {id_.partition("/subnets/")[0].rpartition("/")[2] for id_ in made if "/subnets/" in id_}
    assert subnets == {"spoke"}
    assert not [id_ for id_ in made if id_.endswith(("/virtualNetworks/spoke", "/privateDnsZones/llm.corp.acme.io"))]
    assert not [id_ for id_ in made if "/dnsResolvers/" in id_]
    records = {id_.rpartition("/")[2] for id_ in made if "/dns/" in id_ and "/llm.corp.acme.io/" in id_}
    assert records == {"*", "@"}
    assert rehearsal.outputs("address")["nameserver_address"] == "10.0.0.53"
    last = rehearsal.rollout()
    last.plan()
    assert {name: str(last.plans[name].changes) for name in (*DURABLE, "network")} == dict.fromkeys(
        (*DURABLE, "network"), "no changes"
    )
