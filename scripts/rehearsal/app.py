"""The application with its state kept in the rehearsal's folder, for environments that keep theirs elsewhere."""

import os
import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[2])

from main import build_app  # noqa: E402
from stacks.settings import load_settings  # noqa: E402
from stacks.settings.azure import StateSettings  # noqa: E402

settings = load_settings(os.environ["PLATFORM_ENV"]).model_copy(update={"state": StateSettings()})
build_app(settings, Path(os.environ["CDKTF_OUTDIR"])).synth()
