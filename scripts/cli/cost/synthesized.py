"""Writes the stacks of the settings in a file to a folder: `synthesized.py FILE FOLDER`, for an estimate."""

import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[3])

from main import build_app  # noqa: E402
from stacks.settings import parse_settings  # noqa: E402

if __name__ == "__main__":
    settings, outdir = Path(sys.argv[1]), Path(sys.argv[2])
    outdir.mkdir(parents=True)
    build_app(parse_settings(settings.read_text("utf-8"), settings.name), outdir).synth()
