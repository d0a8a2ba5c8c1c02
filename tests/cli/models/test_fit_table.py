"""`llmctl models fit`: what of the catalogue runs on which pool, at which cost."""

import json

from typer.testing import CliRunner

from scripts.cli.models import commands
from scripts.cli.models.fit_table import lines
from scripts.cli.tools import Tools
from scripts.core.errors import OperatorError
from scripts.cost.prices import listed
from stacks.settings import load_settings
from stacks.settings.model_catalogue.entries import search


def test_each_offer_is_judged_on_each_pool() -> None:
    pools = load_settings("prod").cluster.gpu_pools
    found = {
        (line.offer.quantization, line.room.pool): line.room.problem
        for line in lines(search("qwen3-32b"), pools, listed())
        if line.offer.engine == "vllm"
    }
    assert found[("fp8", "a100")] == ""
    assert found[("fp8", "t4")] == "needs 34.5 of 13.1 GiB"


def test_a_format_that_the_card_does_not_run_is_said() -> None:
    pools = {"t4": load_settings("dev").cluster.gpu_pools["t4"]}
    (line,) = (line for line in lines(search("gpt-oss-120b"), pools, listed()) if line.offer.engine == "vllm")
    assert line.room.problem == "T4 does not run mxfp4"


def test_spot_is_cheaper_than_regular() -> None:
    pools = load_settings("prod").cluster.gpu_pools
    prices = {line.room.pool: line.usd_per_hour for line in lines(search("qwen3-4b"), pools, listed())}
    assert prices["t4"] is not None
    assert prices["a100"] is not None
    assert 0 < prices["t4"] < prices["a100"]


def test_without_a_word_only_what_fits_is_shown() -> None:
    result = CliRunner().invoke(commands.app, ["fit", "dev", "--json"], obj=Tools())
    shown = json.loads(result.stdout)
    assert shown
    assert all(line["fits"] for line in shown)
    assert "qwen3-32b" not in {line["name"] for line in shown}


def test_a_word_that_nothing_is_like_is_refused() -> None:
    result = CliRunner().invoke(commands.app, ["fit", "dev", "--like", "zzzzzz"], obj=Tools())
    assert isinstance(result.exception, OperatorError)
