"""The tables of docs/reference/capacity.md: `python -m scripts.cli.models.capacity` writes them again.

Measured figures are what `llmctl models bench MODEL ENV --json` printed, kept as files in docs/reference/capacity/.
Computed ones are the arithmetic of the settings' check: how many conversations of full length the GPUs' memory holds.
"""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from stacks.platform.components.serving.engines import OLLAMA_PARALLEL
from stacks.settings import load_settings
from stacks.settings.models import Engine

from .fit import fits

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "capacity.md"
MEASURED = PAGE.with_suffix("")
ENVIRONMENTS = ("dev", "prod")
MARKS = {
    "measured": "<!-- llmctl models bench -->\n",
    "computed": "<!-- scripts/cli/models/capacity.py -->\n",
}
END = "<!-- end -->"
NOTHING = "No GPU was measured yet.\n"


def measured(found: Iterable[Mapping[str, Any]]) -> str:
    """Return what was measured as a Markdown table, by model, GPU and day."""
    rows = [
        f"| {one['model']} | {one['gpu']} | {one['date']} | {level['people']} | {_figure(level['first_s'])} |"
        f" {_figure(level['first_p95_s'])} | {_figure(level['person_tokens_per_s'])} | {level['tokens_per_s']:.1f} |"
        f" {level['failed']} of {level['answers']} |"
        for one in sorted(found, key=lambda one: (one["model"], one["gpu"], one["date"]))
        for level in one["levels"]
    ]
    if not rows:
        return NOTHING
    head = (
        "| model | GPUs | measured on | people at once | first token, s | 95 of 100, s | tokens/s each | tokens/s all |"
        " failed |"
    )
    return "\n".join([head, "|---|---|---|---|---|---|---|---|---|", *rows]) + "\n"


def computed() -> str:
    """Return how many full conversations the listed models' replicas hold at once, as a Markdown table."""
    rows = ["| environment | model | GPUs of a replica | full conversations at once |", "|---|---|---|---|"]
    for environment in ENVIRONMENTS:
        settings = load_settings(environment)
        for fit in fits(settings.models, settings.cluster):
            room = fit.usable_gib - fit.model.weights_gib - fit.runtime_gib
            count = OLLAMA_PARALLEL if fit.model.engine is Engine.OLLAMA else int(room / fit.cache_gib)
            tokens = f"{count} of {fit.model.context_tokens:,} tokens"
            rows.append(f"| {environment} | {fit.model.name} ({fit.model.engine.value}) | {fit.gpu} | {tokens} |")
    return "\n".join(rows) + "\n"


def renewed(page: str) -> str:
    """Return the page with both tables as they have to be. Raises ValueError where it has no place for one."""
    kept = [json.loads(path.read_text("utf-8")) for path in sorted(MEASURED.glob("*.json"))]
    for mark, table in ((MARKS["measured"], measured(kept)), (MARKS["computed"], computed())):
        before, found, rest = page.partition(mark)
        _, end, after = rest.partition(END)
        if not found or not end:
            raise ValueError(f"{PAGE} has no place for {mark}")
        page = f"{before}{mark}\n{table}\n{END}{after}"
    return page


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


if __name__ == "__main__":
    PAGE.write_text(renewed(PAGE.read_text("utf-8")), "utf-8")
