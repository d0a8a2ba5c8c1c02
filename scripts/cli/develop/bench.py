"""`llmctl bench`: measurements."""

import typer

from scripts.lab.bench import images, operate, synth

app = typer.Typer(add_completion=False, rich_markup_mode="rich", no_args_is_help=True)
app.command("synth")(synth.main)
app.command("images")(images.main)
app.command("operate")(operate.main)


@app.callback()
def bench() -> None:
    """Benchmarks. Need the development packages, which the first run installs."""
