"""The line above an answer that does not begin names the pools of a model that runs on several."""

import importlib.util
import json
from pathlib import Path

from stacks.platform.common.catalogue import HELM
from stacks.platform.components.chat.models import waiting_variables
from stacks.settings import load_settings, parse_settings

FILE = Path(__file__).parents[2] / "environments" / "valid.several_pools.yaml"


def line(model: str, pools: dict[str, str]) -> str:
    spec = importlib.util.spec_from_file_location("waiting_status", HELM / "open-webui" / "waiting_status.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    said: str = module.line(model, 120, {"POOLS_IN_ORDER": json.dumps(pools)})
    return said


def test_a_model_of_several_pools_is_said_to_wait_for_them_in_their_order() -> None:
    pools = json.loads(waiting_variables(parse_settings(FILE.read_text(), FILE.name))["POOLS_IN_ORDER"])
    assert pools["small"] == "spot, then regular"
    assert "steady" not in pools
    assert line("small", pools).startswith(
        "small has not begun to answer (2 min): it is starting (waiting for spot, then regular), or answers others"
    )
    assert line("steady", pools).startswith("steady has not begun to answer (2 min): it is starting, or answers others")


def test_where_every_model_has_one_pool_the_chat_is_told_of_none() -> None:
    assert waiting_variables(load_settings("dev")) == {}
