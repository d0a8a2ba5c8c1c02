#!/usr/bin/env python3
"""Brings every container image of an environment into its registry: `scripts/build_images.py [ENV] [OPTION]...`.

The same as `llmctl images ensure`, which prepares what it needs on a fresh checkout.
"""

import os
import sys
from pathlib import Path

if __name__ == "__main__":
    llmctl = str(Path(__file__).resolve().parent / "llmctl")
    os.execv(sys.executable, [sys.executable, llmctl, "images", "ensure", *sys.argv[1:]])  # noqa: S606 - becomes llmctl
