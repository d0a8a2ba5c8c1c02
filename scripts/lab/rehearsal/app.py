"""The application with its state kept in the rehearsal's folder, and what real providers need beside the stacks."""

import os
import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[3])

from main import bring_charts, build_app  # noqa: E402
from stacks.common.output_folder import output_folder  # noqa: E402
from stacks.settings import load_settings  # noqa: E402
from stacks.settings.azure import StateSettings  # noqa: E402

environment = os.environ["PLATFORM_ENV"]
settings = load_settings(environment).model_copy(update={"state": StateSettings()})
outdir = output_folder(environment, os.environ)
outdir.mkdir(parents=True, exist_ok=True)
build_app(settings, outdir).synth()

if kubeconfig := os.environ.get("REHEARSAL_KUBECONFIG"):
    from scripts.lab.rehearsal.real import connection, overrides

    charts = os.environ.get("REHEARSAL_CHARTS")
    reached = connection.connection(Path(kubeconfig), outdir.parents[1])
    if not charts:
        bring_charts(outdir / "stacks" / "platform")
    overrides.write(outdir / "stacks" / "platform", reached, Path(charts) if charts else None)
