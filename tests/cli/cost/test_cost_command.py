"""`llmctl cost`: a bill by stack and resource, two of them compared, and what stands in for a network."""

import json
import shutil
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from scripts.cli import app as cli
from scripts.cli.cost.commands import Sources
from scripts.core.errors import ExitCode, OperatorError
from scripts.core.workspace import Workspace
from scripts.cost.charges import Charge
from scripts.cost.estimate import kept_nodes, with_spill_over
from scripts.cost.meters import Meter
from stacks.settings import Settings, load_settings, parse_settings
from stacks.settings.serving import SpillOverSettings
from tests.support.stacks.synthesis import folder_of, synthesized_once

NOW = datetime(2026, 11, 30, tzinfo=UTC)
SEVERAL = Path(__file__).parents[2] / "environments" / "valid.several_pools.yaml"


def run(*arguments: str, sources: Sources | None = None) -> Result:
    return CliRunner().invoke(cli.app, ["cost", *arguments], obj=sources)


@pytest.fixture
def write_stacks(synthesized_stacks: Path) -> Callable[[Settings, Workspace], None]:
    """Return what writes stacks that are synthesized once for all tests."""

    def write(settings: Settings, workspace: Workspace) -> None:
        synthesized_once(settings, synthesized_stacks)
        shutil.copytree(folder_of(settings, synthesized_stacks), workspace.output)

    return write


@pytest.mark.slow
def test_a_bill_names_every_stack_and_what_has_no_price() -> None:
    bill = json.loads(run("dev", "--offline", "--json").stdout)
    lines = {(line["stack"], line["what"]): (line["low"], line["high"]) for line in bill["lines"]}
    assert lines["aks", "pool t4: nodes Standard_NC4as_T4_v3 spot"] == (0, pytest.approx(287.99, abs=0.01))
    assert lines["aks", "pool workload: nodes Standard_D4ds_v5"] == (330.0, 660.0)
    assert lines["disks", "disk llm-dev-clickhouse: E6 ZRS"] == (7.2, 7.2)
    assert {stack for stack, _ in lines} == {"disks", "acr", "database", "address", "network", "aks"}
    assert "3 x file share, by provisioned size" in bill["unpriced"]
    known = [line for line in bill["lines"] if line["low"] is not None]
    assert bill["total_per_month"]["low"] == pytest.approx(sum(line["low"] for line in known), abs=0.02)
    assert bill["prices"] == {"source": "list prices of this release", "region": "eastus", "date": "2026-11-30"}


def test_gpu_hours_replace_a_pools_range_and_two_environments_are_compared(
    write_stacks: Callable[[Settings, Workspace], None],
) -> None:
    arguments = ("prod", "--offline", "--json", "--gpu-hours", "t4=100", "--compare", "dev")
    found = json.loads(run(*arguments, sources=Sources(write_stacks=write_stacks)).stdout)
    pools = {line["what"]: line for line in found["lines"]}
    spot = pools["pool t4: nodes Standard_NC4as_T4_v3 spot"]
    assert (spot["low"], spot["high"]) == (pytest.approx(13.15), pytest.approx(13.15))
    assert found["compared_with"]["environment"] == "dev"
    changed = {line["what"] for line in found["differences"]}
    assert "Application Gateway WAF_v2" in changed
    assert "load balancer" not in changed


def test_azures_own_prices_are_taken_and_the_dated_list_where_nobody_answers(
    tmp_path: Path, write_stacks: Callable[[Settings, Workspace], None]
) -> None:
    def answer(_region: str, needed: Iterable[Meter]) -> Mapping[str, float]:
        return {meter.name: 1.0 for meter in needed}

    def fail(_region: str, _needed: Iterable[Meter]) -> Mapping[str, float]:
        raise OperatorError("Azure's price list cannot be read: no route", code=ExitCode.NOT_READY)

    offline = run("dev", "--json", sources=Sources(fail, NOW, tmp_path, write_stacks))
    assert "no route; the dated list is taken instead" in offline.stderr
    assert json.loads(offline.stdout)["prices"]["region"] == "eastus"
    asked = json.loads(run("dev", "--json", sources=Sources(answer, NOW, tmp_path, write_stacks)).stdout)
    assert asked["prices"] == {"source": "Azure's price list", "region": "westeurope", "date": "2026-11-30"}
    assert asked["total_per_month"]["high"] > asked["total_per_month"]["low"]


@pytest.mark.parametrize("given", ["t4", "t4=", "=5", "t4=-1", "t4=many", "t4=inf", "t4=nan"])
def test_hours_that_are_none_are_refused_before_anything_is_read(given: str) -> None:
    refused = run("dev", "--offline", "--gpu-hours", given).exception
    assert isinstance(refused, OperatorError)
    assert refused.code == ExitCode.USAGE


def test_a_pool_that_is_not_there_is_named() -> None:
    refused = run("dev", "--offline", "--gpu-hours", "nope=1").exception
    assert isinstance(refused, OperatorError)
    assert (refused.message, refused.fix) == ("no such pool: nope", "the pools are system, workload, t4")


def test_models_that_stay_loaded_keep_their_nodes() -> None:
    assert kept_nodes(load_settings("prod")) == {"t4": 0, "a100": 1, "workload": 2}


def test_a_pool_that_models_only_spill_over_to_costs_at_most_its_hours() -> None:
    several = parse_settings(SEVERAL.read_text(), SEVERAL.name)
    charge = Charge("pool other: Standard_NC8as_T4_v3 spot", None, 0, 2)
    assert with_spill_over(charge, several).high == pytest.approx(40 / 730)
    # Another model has this one for itself; and without a budget every node may run all month.
    regular = Charge("pool regular: Standard_NC4as_T4_v3", None, 0, 2)
    assert with_spill_over(regular, several) == regular
    free = several.serving.model_copy(update={"spill_over": SpillOverSettings()})
    assert with_spill_over(charge, several.model_copy(update={"serving": free})) == charge
