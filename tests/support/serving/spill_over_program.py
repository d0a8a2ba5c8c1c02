"""The program of the chart `spill-over`, as its pod runs it."""

import importlib.util
import sys
from types import ModuleType

from stacks.platform.common.catalogue import HELM


def program(name: str) -> ModuleType:
    """Return `decide` or `run`; the latter imports the former, as in the folder that the pod mounts."""
    if name != "decide" and "decide" not in sys.modules:
        sys.modules["decide"] = program("decide")
    spec = importlib.util.spec_from_file_location(f"spill_over_{name}", HELM / "spill-over" / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
