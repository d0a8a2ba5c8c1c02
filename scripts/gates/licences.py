"""The licences of everything that runs: each chart and image has one, and its conditions are written down."""

import fnmatch
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ruamel.yaml import YAML

from stacks.platform.common.catalogue import charts, images

ROOT = Path(__file__).parents[2]
LICENCES = ROOT / "helm" / "licences.yaml"
PAGE = ROOT / "docs" / "reference" / "licences.md"

PERMISSIVE = {"Apache-2.0", "MIT", "BSD-2-Clause", "BSD-3-Clause", "curl", "ISC", "PostgreSQL", "PSF-2.0"}
"""Ask nothing of those who only run the software."""


@dataclass(frozen=True)
class Licence:
    """One licence, and the charts and images that come under it."""

    licence: str
    """SPDX identifier or expression."""
    source: str
    covers: tuple[str, ...]
    note: str = ""
    """What it asks of the operator."""

    def covers_name(self, name: str) -> bool:
        """Return whether a chart (`chart:<release>`) or image repository comes under it."""
        return any(fnmatch.fnmatchcase(name, pattern) for pattern in self.covers)


def load(path: Path = LICENCES) -> list[Licence]:
    """Return the licences of the file, in its order."""
    entries = YAML(typ="safe").load(path.read_text("utf-8"))
    return [Licence(**entry | {"covers": tuple(entry["covers"])}) for entry in entries]


def deployed() -> list[str]:
    """Return every chart and image repository that is pinned."""
    return [*(f"chart:{release}" for release in charts()), *dict.fromkeys(it.repository for it in images().values())]


def errors(licences: Sequence[Licence], names: Iterable[str]) -> Iterator[str]:
    """Yield what is wrong: something without a licence or with two, entries of no use, duties that are not named."""
    names = list(names)
    for name in names:
        count = sum(licence.covers_name(name) for licence in licences)
        if count != 1:
            yield f"{name} has {count or 'no'} entr{'ies' if count > 1 else 'y'} in helm/licences.yaml; it needs one"
    for licence in licences:
        for pattern in licence.covers:
            if not any(fnmatch.fnmatchcase(name, pattern) for name in names):
                yield f"helm/licences.yaml: {pattern} covers nothing that is deployed; remove it"
        if licence.licence not in PERMISSIVE and not licence.note:
            yield f"helm/licences.yaml: {licence.licence} ({licence.covers[0]}) needs a note on what it asks"


def page(licences: Sequence[Licence], names: Iterable[str]) -> str:
    """Return the page of the documentation."""
    lines = [
        "# Licences",
        "",
        "For operators and reviewers: which software the platform runs, and under which licence.",
        "",
        "This page is written by `llmctl policy licences --write` from `helm/licences.yaml`, `helm/charts.yaml` and",
        "`helm/images.yaml`; `llmctl policy licences` fails when one has none. It is the licence of the software that",
        "gives an image its name. Every image also contains packages of its base system under their own licences;",
        "`llmctl images scan` lists them.",
        "",
        "| chart or image | licence | asks of the operator |",
        "|---|---|---|",
    ]
    for name in names:
        licence = next((found for found in licences if found.covers_name(name)), None)
        if licence:
            lines.append(f"| `{name}` | [{licence.licence}]({licence.source}) | {licence.note} |")
    return "\n".join(lines) + "\n"
