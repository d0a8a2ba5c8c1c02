"""Makes synthesis fast: provider bindings load only the resources that the application uses.

What it does, what breaks it, how to switch it off and how to delete it: ``README.md`` beside this file. `install` is
all that the rest of the application calls, from ``stacks/__init__.py``.
"""

import atexit
import gc
import os
import sys
import warnings

from .finder import LeanFinder
from .mode import Mode, requested_mode
from .node import bundled_node, node_options
from .versions import differences

COLLECTOR_THRESHOLD = 500_000
"""Allocations between two garbage collections (Python's own default: 700)."""


def install() -> Mode:
    """Prepare this process, and the Node process that jsii will start, and return the mode in force.

    Has to run before anything imports ``cdktf`` or ``constructs``; otherwise it warns, and what is loaded
    already stays as it is. Where another version of a package is installed than this one knows, it warns and loads
    everything as published. Further calls change nothing.

    Raises:
        ValueError: as `requested_mode`.
    """
    mode = requested_mode()
    if mode is not Mode.AS_SHIPPED and LeanFinder not in sys.meta_path:
        if unknown := differences():
            mode = Mode.AS_SHIPPED
            _warn(f"{unknown}: provider bindings load as published, slowly; see stacks/fast_synth/README.md")
        else:
            if "jsii" in sys.modules:
                _warn(
                    "cdktf or constructs was imported before the package `stacks`: provider bindings will load "
                    "slowly; import `stacks` first"
                )
            sys.meta_path.insert(0, LeanFinder)
            _keep_what_stays()
            # pydantic would look for plugins of its own in every installed package.
            os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    options = node_options(os.environ.get("NODE_OPTIONS", ""), lazy=mode is Mode.LAZY)
    if options:
        os.environ["NODE_OPTIONS"] = options
    else:
        os.environ.pop("NODE_OPTIONS", None)
    if "JSII_NODE" not in os.environ and (node := bundled_node()) is not None:
        os.environ["JSII_NODE"] = str(node)
    return mode


def _keep_what_stays() -> None:
    """Collect garbage seldom: a synthesis makes a hundred thousand objects that all stay, and then ends."""
    gc.set_threshold(COLLECTOR_THRESHOLD)
    atexit.register(gc.freeze)


def _warn(text: str) -> None:
    warnings.warn(text, RuntimeWarning, stacklevel=3)
