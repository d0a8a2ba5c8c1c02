"""A deployment ends with what people need: addresses, models, who logs in where, what a day costs."""

from pathlib import Path
from typing import Any

import pytest

from scripts.cost.prices import listed
from scripts.deployment.ending import cost_per_month, ending, next_steps, private_steps
from stacks.settings import load_settings, parse_settings
from tests.support.stacks.durable import settings

BILLED: list[tuple[str, dict[str, Any]]] = [
    (
        "azurerm_kubernetes_cluster_node_pool",
        {"vm_size": "Standard_NC4as_T4_v3", "priority": "Spot", "min_count": 0, "max_count": 3},
    ),
    ("azurerm_container_registry", {"sku": "Basic"}),
    ("azurerm_public_ip", {"sku": "Standard"}),
    ("kubernetes_namespace_v1", {}),
]


def test_dev_ends_with_its_addresses_models_and_logins() -> None:
    text = "\n".join(ending(load_settings("dev"), BILLED))
    for address in (
        "https://chat.llm-dev.example.com",
        "https://api.llm-dev.example.com/v1 (OpenAI-compatible)",
        "https://opik.llm-dev.example.com",
        "https://grafana.llm-dev.example.com",
    ):
        assert address in text
    assert "phi3.5               ollama on t4, starts at the first question" in text
    assert 'az ad group member add --group "llm-dev users" --member-id OBJECT_ID' in text
    assert "llmctl gateway create-key NAME dev --team TEAM" in text
    assert "USD a day" in text


def test_gpus_and_disks_are_named_with_their_sizes() -> None:
    lines = ending(load_settings("dev"), [])
    gpus, disks = lines.index("GPUs"), lines.index("Disks, which outlive the cluster")
    assert lines[gpus + 1] == "  t4          0 to 3 nodes Standard_NC4as_T4_v3, spot"
    assert "  traces      mysql 16, clickhouse 64, zookeeper 8, minio 32, redis 8 GiB, zrs" in lines[disks:]
    assert "  PostgreSQL  32 GiB" in lines[disks:]
    without = ending(settings(opik={"enabled": False}), [])
    assert without[without.index("GPUs") + 1] == "  none"
    assert not any("clickhouse" in line for line in without)


def test_what_is_switched_off_has_no_address() -> None:
    text = "\n".join(ending(settings(opik={"enabled": False}, monitoring={"enabled": False}), []))
    assert "opik." not in text
    assert "grafana." not in text
    assert "llmctl models add" in text


@pytest.mark.parametrize(
    ("resources", "known"), [(BILLED, True), ([*BILLED, ("azurerm_managed_disk", {"disk_size_gb": 64})], False)]
)
def test_a_day_costs_what_its_parts_cost_in_a_month(resources: list[tuple[str, dict[str, Any]]], known: bool) -> None:
    cost, unpriced = cost_per_month(resources, listed())
    assert cost.low == pytest.approx(5.00 + 3.65)
    assert cost.high > cost.low
    assert cost.known is known
    assert unpriced == ([] if known else ["disk None 64 GiB"])
    lines = ending(settings(), resources)
    start = "  0.28 (nothing asked) to " if known else "  at least 0.28 (nothing asked) to "
    assert any(line.startswith(start) for line in lines)  # 8.65 USD / 30.4 days
    assert any("without a price here: disk None 64 GiB;" in line for line in lines) is not known


def test_machines_without_a_price_are_named_by_their_size() -> None:
    cluster = (
        "azurerm_kubernetes_cluster",
        {"sku_tier": "Free", "default_node_pool": [{"vm_size": "Standard_Odd4_v9", "min_count": 1, "max_count": 2}]},
    )
    pool = ("azurerm_kubernetes_cluster_node_pool", {"vm_size": "Standard_Odd8_v9", "min_count": 1, "max_count": 3})
    assert cost_per_month([cluster, pool, pool], listed())[1] == [
        "2 x nodes Standard_Odd8_v9",
        "pool system: nodes Standard_Odd4_v9",
    ]


def test_the_next_step_is_to_see_whether_it_works() -> None:
    assert "Whether it works, from a question to its trace: llmctl health dev" in next_steps("dev", {})
    records = {"platform": {"dns_records": {"value": {"chat.acme.io": "llm.westeurope.cloudapp.azure.com"}}}}
    said = "  chat.acme.io  CNAME  llm.westeurope.cloudapp.azure.com"
    assert said in next_steps("dev", records)
    assert said not in next_steps("dev", records, records_written=True)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("private_with_tailscale", "Next: llmctl tailscale dns dev --apply lets the tailnet look llm.internal up"),
        ("private_by_vpn", "Next: let your resolver ask 10.40.18.20 for llm.corp.acme.io"),
    ],
)
def test_a_private_environment_says_how_clients_find_and_trust_it(name: str, said: str) -> None:
    file = Path(__file__).parents[1] / "environments" / f"valid.{name}.yaml"
    assert said in private_steps(parse_settings(file.read_text("utf-8"), file.name))


def test_what_people_type_to_trust_the_internal_ca_stands_there_with_its_fingerprint() -> None:
    file = Path(__file__).parents[1] / "environments" / "valid.private_with_tailscale.yaml"
    settings = parse_settings(file.read_text("utf-8"), file.name)
    lines = private_steps(settings, "AB:CD")
    assert lines[-5:] == [
        "Next: let people's computers trust the internal CA (docs/how-to/trust-the-platform.md)",
        "  certificate and installer: https://start.llm.internal#trust",
        "  Linux, macOS  sudo sh install-client.sh --ca ca.crt --fingerprint AB:CD",
        "  Windows       .\\install-client.ps1 -Ca ca.crt -Fingerprint AB:CD",
        "  give people the fingerprint by another way than the certificate",
    ]
    unread = private_steps(settings)
    assert "  FINGERPRINT is what `llmctl client fingerprint dev` prints" in unread
    assert any("--fingerprint FINGERPRINT" in line for line in unread)
    without_page = settings.model_copy(update={"start_page": settings.start_page.model_copy(update={"enabled": False})})
    assert "  certificate and installer: llmctl client ca dev > ca.crt" in private_steps(without_page)


def test_a_public_environment_leaves_nothing_of_it_to_do() -> None:
    assert private_steps(load_settings("dev")) == []
