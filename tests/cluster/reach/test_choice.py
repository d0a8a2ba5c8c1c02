"""Which way to the Kubernetes API a machine takes: the file's, unless LLMCTL_CLUSTER_ACCESS says otherwise."""

from pathlib import Path

import pytest

from scripts.cluster.reach.choice import chosen
from scripts.core.errors import ExitCode, OperatorError
from stacks.settings import Settings, load_settings, parse_settings
from stacks.settings.azure import ClusterAccess

ENVIRONMENTS = Path(__file__).parents[2] / "environments"


@pytest.fixture
def settings() -> Settings:
    file = ENVIRONMENTS / "valid.private_api_through_tailscale.yaml"
    return parse_settings(file.read_text("utf-8"), file.name)


def test_an_environment_is_reached_directly_unless_it_says_otherwise(settings: Settings) -> None:
    assert chosen(load_settings("dev"), {}).way is ClusterAccess.DIRECT
    assert chosen(load_settings("prod"), {}).way is ClusterAccess.DIRECT
    found = chosen(settings, {})
    assert (found.way, found.proxy) == (ClusterAccess.TAILSCALE, "llm-dev-api")


@pytest.mark.parametrize("way", ["direct", "jump-host"])
def test_a_machine_may_take_a_way_that_needs_nothing_in_the_cluster(settings: Settings, way: str) -> None:
    found = chosen(settings, {"LLMCTL_CLUSTER_ACCESS": way})
    assert (found.way.value, found.jump_host) == (way, "ops@bastion")


def test_a_way_that_the_environment_does_not_have_is_refused_with_the_key_to_write() -> None:
    keys = {
        "tailscale": "operators.cluster_access: tailscale",
        "command-invoke": "operators.cluster_access: command-invoke",
        "jump-host": "operators.jump_host: HOST",
    }
    for way, key in keys.items():
        with pytest.raises(OperatorError) as refusal:
            chosen(load_settings("dev"), {"LLMCTL_CLUSTER_ACCESS": way})
        assert key in refusal.value.fix
        assert refusal.value.code is ExitCode.USAGE


def test_an_unknown_way_is_answered_with_the_ways_there_are() -> None:
    with pytest.raises(OperatorError, match="LLMCTL_CLUSTER_ACCESS=vpn is no way") as refusal:
        chosen(load_settings("dev"), {"LLMCTL_CLUSTER_ACCESS": "vpn"})
    assert refusal.value.fix == "one of direct, tailscale, jump-host, command-invoke"
