"""What Terraform knows and said: addresses and types of resources without their values, and logs of its last runs."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from scripts.core.errors import OperatorError
from scripts.terraform.stack import StackRunner, TerraformError

from .bundle import Collect

LOG_BYTES = 2_000_000
"""Of the end of each log."""


def parts(runners: Mapping[str, StackRunner]) -> Iterator[tuple[str, Collect]]:
    """Return two files for each stack: what its state lists, and what Terraform printed last (plans, too)."""
    for name, runner in runners.items():
        if runner.log.exists():
            yield f"runs/{name}.log", partial(_end_of, runner.log)
        yield f"states/{name}.json", partial(_state, runner)


def _end_of(log: Path) -> str:
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - LOG_BYTES))
        return file.read().decode(errors="replace")


def _state(runner: StackRunner) -> str:
    try:
        state = runner.pull()
    except TerraformError as error:
        last = error.output.strip().splitlines()[-1:] or [str(error)]
        raise OperatorError(f"the state cannot be read: {last[0]}") from None
    return json.dumps(outline(state) if state else {"resources": "none: not deployed"}, indent=1) + "\n"


def outline(state: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a state has, without a value of any resource or output."""
    resources = [
        {
            "address": f"{'data.' if resource['mode'] == 'data' else ''}{resource['type']}.{resource['name']}"
            + (f"[{json.dumps(instance['index_key'])}]" if "index_key" in instance else ""),
            "provider": resource["provider"],
            **({"tainted": True} if instance.get("status") == "tainted" else {}),
            **({"deposed": True} if instance.get("deposed") else {}),
        }
        for resource in state["resources"]
        for instance in resource["instances"]
    ]
    return {
        "terraform_version": state.get("terraform_version"),
        "serial": state.get("serial"),
        "types": dict(sorted(Counter(resource["type"] for resource in state["resources"]).items())),
        "resources": resources,
        "outputs": sorted(state["outputs"]),
    }
