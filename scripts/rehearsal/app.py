"""The application with its state kept in the rehearsal's folder, for environments that keep theirs elsewhere."""

import os
import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[2])

from main import build_app  # noqa: E402
from stacks.output_folder import output_folder  # noqa: E402
from stacks.settings import load_settings  # noqa: E402
from stacks.settings.azure import StateSettings  # noqa: E402

environment = os.environ["PLATFORM_ENV"]
settings = load_settings(environment).model_copy(update={"state": StateSettings()})
outdir = output_folder(environment, os.environ)
outdir.mkdir(parents=True, exist_ok=True)
build_app(settings, outdir).synth()
