"""`env check` says what lies in one zone of several."""

from collections.abc import Mapping
from typing import Any

import pytest

from scripts.core.environment_check import verdict_of
from scripts.core.notes.zones import zone_notes
from scripts.core.workspace import ROOT
from stacks.settings import Settings, load_settings
from stacks.settings.network import Outbound


def changed(name: str, **changes: Mapping[str, Any]) -> Settings:
    settings = load_settings(name)
    sections = {key: getattr(settings, key).model_copy(update=dict(change)) for key, change in changes.items()}
    return settings.model_copy(update=sections)


def keys(settings: Settings) -> list[str]:
    return [note.partition(": ")[0] for note in zone_notes(settings)]


def test_production_loses_its_way_out_with_no_zone() -> None:
    """Its weights are the one thing in one zone: they can be fetched again."""
    assert keys(load_settings("prod")) == ["serving.model_store"]


@pytest.mark.parametrize(
    ("section", "change", "key"),
    [
        ("network", {"outbound": Outbound.NAT_GATEWAY}, "network.outbound"),
        ("disks", {"redundancy": "lrs", "lrs_zone": 1}, "disks.redundancy"),
        ("database", {"high_availability": "same-zone"}, "database.high_availability"),
        ("database", {"high_availability": "off"}, "database.high_availability"),
    ],
)
def test_what_a_zone_takes_is_named_with_the_key_that_keeps_it(
    section: str, change: Mapping[str, Any], key: str
) -> None:
    assert key in keys(changed("prod", **{section: change}))


def test_a_pool_in_one_zone_is_named() -> None:
    pools = load_settings("prod").cluster.gpu_pools
    pools = pools | {"t4": pools["t4"].model_copy(update={"zones": (2,)})}
    assert "cluster.gpu_pools.t4.zones" in keys(changed("prod", cluster={"gpu_pools": pools}))


def test_a_small_environment_hears_of_its_way_out_alone() -> None:
    assert keys(load_settings("dev")) == []
    assert keys(changed("dev", network={"outbound": Outbound.NAT_GATEWAY})) == ["network.outbound"]


def test_a_region_without_zones_has_nothing_to_lose_by_one() -> None:
    everything: dict[str, Mapping[str, Any]] = {
        "azure": {"zones": ()},
        "network": {"outbound": Outbound.NAT_GATEWAY},
        "database": {"high_availability": "off"},
    }
    assert keys(changed("prod", **everything)) == []


def test_env_check_shows_the_notes() -> None:
    assert [note for note in verdict_of("prod", ROOT, None).notes if note.startswith("serving.model_store: ")]
