"""The store of weights is destroyed by name, alone, and never under a cluster that mounts it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest

from scripts.cli.models import discard_store
from scripts.cli.tools import Tools as CommandTools
from scripts.core.errors import OperatorError
from tests.support.cli.terminals import Nobody

STORE = ["azurerm_storage_account.model-store_account_1", "azurerm_storage_share.model-store_vllm-models_2"]
DATA = "azurerm_storage_account.chat-uploads-account"
VOLUME = "kubernetes_persistent_volume_v1.vllm-models-share_volume_3"


class Runner:
    """Terraform of one stack, with what its state holds."""

    def __init__(self, addresses: Sequence[str], lost: Sequence[str] = ()) -> None:
        self.addresses, self.lost = addresses, lost
        self.applied: list[str] | None = None
        self.targets: Sequence[str] = ()

    def resources(self) -> dict[str, Any]:
        return {address: {} for address in self.addresses}

    def plan(self, *, destroy: bool, targets: Sequence[str]) -> Any:
        assert destroy
        self.targets = targets
        return SimpleNamespace(lost=tuple(self.lost or targets))

    def apply(self) -> None:
        self.applied = list(self.targets)


@pytest.fixture
def opened_stacks() -> tuple[dict[str, Runner], CommandTools]:
    runners = {"disks": Runner([*STORE, DATA]), "platform": Runner([])}

    @contextmanager
    def opened(_job: Any) -> Iterator[Any]:
        yield SimpleNamespace(runner=runners.__getitem__)

    return runners, CommandTools(rollout=opened, terminal=Nobody())


@pytest.fixture
def stacks(opened_stacks: tuple[dict[str, Runner], CommandTools]) -> dict[str, Runner]:
    return opened_stacks[0]


@pytest.fixture
def tools(opened_stacks: tuple[dict[str, Runner], CommandTools]) -> CommandTools:
    return opened_stacks[1]


def test_store_and_nothing_else_is_destroyed(stacks: dict[str, Runner], tools: CommandTools) -> None:
    discard_store.discard("dev", "dev", tools)
    assert stacks["disks"].applied == STORE


def test_store_that_the_cluster_mounts_is_kept(stacks: dict[str, Runner], tools: CommandTools) -> None:
    stacks["platform"] = Runner([VOLUME])
    with pytest.raises(OperatorError, match="the cluster mounts the store") as refusal:
        discard_store.discard("dev", "dev", tools)
    assert refusal.value.fix == "llmctl destroy dev"
    assert stacks["disks"].applied is None


def test_data_that_a_plan_would_take_along_is_kept(stacks: dict[str, Runner], tools: CommandTools) -> None:
    stacks["disks"] = Runner([*STORE, DATA], lost=[*STORE, DATA])
    with pytest.raises(OperatorError, match="chat-uploads-account"):
        discard_store.discard("dev", "dev", tools)
    assert stacks["disks"].applied is None


@pytest.mark.parametrize("confirm", ["", "d", "de", "prod"])
def test_without_the_environment_s_whole_name_nothing_is_destroyed(
    stacks: dict[str, Runner], tools: CommandTools, confirm: str
) -> None:
    with pytest.raises(OperatorError):
        discard_store.discard("dev", confirm, tools)
    assert stacks["disks"].applied is None
