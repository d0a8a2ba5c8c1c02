"""The network that all programs of this folder share."""

import os
from collections.abc import Iterator

import pytest

from stacks.settings import load_settings
from tests.live.programs.chat_stage import ChatStage, running_chat
from tests.live.programs.stage import Stage, running_stage
from tests.support.programs import pod_network
from tests.support.programs.pod_network import Names


@pytest.fixture(scope="package")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Names]:
    """Enter a network of the tests' own; names are added to it as programs are started."""
    if not pod_network.available() and os.environ.get("CI") != "true":
        pytest.skip("only root on Linux can make a network of its own")
    with pod_network.pod_network(tmp_path_factory.mktemp("network"), {}) as names:
        yield names


@pytest.fixture(scope="package")
def stage(network: Names, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Run everything behind the chat, with dev's configuration, keys of people, and an early line about waiting."""
    dev = load_settings("dev")
    asked_for = {"personal_keys": True, "waiting_status_seconds": 2}
    settings = dev.model_copy(update={"chat": dev.chat.model_copy(update=asked_for)})
    with running_stage(settings, tmp_path_factory.mktemp("stage"), network) as found:
        yield found


@pytest.fixture(scope="package")
def chat(stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChatStage]:
    """Run the chat before all of it."""
    with running_chat(stage, tmp_path_factory.mktemp("chat")) as found:
        yield found
