"""Fixtures that several test modules share."""

import gc
import os
from collections.abc import Callable
from functools import cache
from pathlib import Path

import hypothesis
import pytest

# Before any test module imports cdktf or constructs: it decides how provider bindings are loaded.
import stacks  # noqa: F401
from scripts.cost.sources import OFFLINE
from scripts.cost.sources import SWITCH as PRICES
from scripts.images.charts import archives as charts
from scripts.tools.bring import NEVER, SWITCH
from stacks.settings import Settings, load_settings

from .support.stacks.synthesis import STATES, Synthesized, synthesized_once, with_state

# What is imported and collected stays until the end; looking it through again and again is a fifth of collecting.
gc.disable()

# A time limit per example would judge the machine.
hypothesis.settings.register_profile("without deadline", deadline=None)
hypothesis.settings.load_profile("without deadline")

# No test fetches programs, charts or prices from the internet; tests of that hand over servers of their own.
os.environ[SWITCH] = NEVER
os.environ[charts.SWITCH] = charts.NEVER
os.environ[PRICES] = OFFLINE

pytest_plugins = [
    "tests.support.kept_together",
    "tests.support.longest_first",
    "tests.support.program_gate",
    "tests.support.skip_gate",
]


def pytest_collection_finish() -> None:
    """Look for garbage among what tests make, and not in what was collected."""
    gc.freeze()
    gc.enable()


@pytest.fixture(scope="session")
def synthesized_stacks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of what is synthesized once for all processes of a run."""
    own = tmp_path_factory.getbasetemp()
    return (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "synthesized"


@pytest.fixture(scope="session")
def deployed_environments(synthesized_stacks: Path) -> Path:
    """Return the folder of what is deployed once in a rehearsal (`tests/support/rehearsal/deployed.py`)."""
    return synthesized_stacks.with_name("deployed")


@pytest.fixture(scope="session")
def environment(synthesized_stacks: Path) -> Callable[[str], Synthesized]:
    """Return the synthesized environment of a name; each is synthesized once."""

    @cache
    def synthesized(name: str) -> Synthesized:
        return synthesized_once(load_settings(name), synthesized_stacks)

    return synthesized


@pytest.fixture(scope="session")
def synthesized_settings(synthesized_stacks: Path) -> Callable[[Settings], Synthesized]:
    """Return the synthesized stacks of these settings; the same ones are synthesized once."""
    return lambda settings: synthesized_once(settings, synthesized_stacks)


@pytest.fixture(scope="session")
def environment_with_state(synthesized_stacks: Path) -> Callable[[str, str], Synthesized]:
    """Return the synthesized environment of a name with one of `STATES`; each is synthesized once."""

    @cache
    def synthesized(name: str, state: str) -> Synthesized:
        return synthesized_once(with_state(name, STATES[state]), synthesized_stacks)

    return synthesized
