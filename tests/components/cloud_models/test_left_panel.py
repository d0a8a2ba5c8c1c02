"""The dashboard's panel about answers that left the network, asked of Prometheus with what the LLM gateway counts."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from stacks.platform.common.catalogue import HELM

GATEWAY = HELM / "dashboards" / "files" / "gateway.json"


def _panel() -> dict[str, Any]:
    panels: list[dict[str, Any]] = json.loads(GATEWAY.read_text("utf-8"))["panels"]
    return next(panel for panel in panels if panel["title"] == "Answers that left the network, per hour")


def test_the_panel_lies_below_the_others() -> None:
    others = [panel["gridPos"] for panel in json.loads(GATEWAY.read_text("utf-8"))["panels"] if panel != _panel()]
    assert _panel()["gridPos"]["y"] >= max(place["y"] + place["h"] for place in others)


@pytest.mark.programs
@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not on PATH")
def test_it_counts_by_model_and_by_the_own_model_that_was_answered_for(tmp_path: Path) -> None:
    """Two pods of the LLM gateway, of which one answers for qwen3-8b and both are asked for gpt-4.1 itself."""
    (target,) = _panel()["targets"]
    assert target["legendFormat"] == "{{model}} instead of {{instead_of}}"
    series = 'platform_left_network_total{model="gpt-4.1", instead_of="%s", pod="%s"}'
    situation = {
        "rule_files": [],
        "evaluation_interval": "1m",
        "tests": [
            {
                "interval": "1m",
                "input_series": [
                    {"series": series % ("qwen3-8b", "a"), "values": "0+1x120"},
                    {"series": series % ("", "a"), "values": "0+2x120"},
                    {"series": series % ("", "b"), "values": "0+3x120"},
                ],
                "promql_expr_test": [
                    {
                        "expr": target["expr"],
                        "eval_time": "90m",
                        "exp_samples": [
                            {"labels": '{model="gpt-4.1", instead_of="qwen3-8b"}', "value": 60},
                            {"labels": '{model="gpt-4.1"}', "value": 300},
                        ],
                    }
                ],
            }
        ],
    }
    file = tmp_path / "panel.yaml"
    YAML(typ="safe").dump(situation, file)
    done = subprocess.run(["promtool", "test", "rules", str(file)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
