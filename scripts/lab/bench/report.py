"""How benchmark figures are shown and written down: tables, the machine, the marked block of a document."""

import os
import platform
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import psutil
from rich.table import Table as RichTable

PACKAGES = (
    "cdktf",
    "jsii",
    "constructs",
    "cdktf-cdktf-provider-azurerm",
    "cdktf-cdktf-provider-kubernetes",
    "pydantic",
)


@dataclass(frozen=True)
class Table:
    """Rows of text; the first column is left-aligned, the others hold figures."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]

    def rich(self) -> RichTable:
        """Return the table for a terminal."""
        table = RichTable(title=self.title, title_justify="left")
        for index, column in enumerate(self.columns):
            table.add_column(column, justify="right" if index else "left")
        for row in self.rows:
            table.add_row(*row)
        return table

    def markdown(self) -> str:
        """Return the table as Markdown."""
        aligned = ["---"] + ["---:"] * (len(self.columns) - 1)
        lines = (f"| {' | '.join(cells)} |" for cells in (self.columns, aligned, *self.rows))
        return "\n".join([f"**{self.title}**", "", *lines])


def machine(node_version: str) -> dict[str, str]:
    """Describe the machine by what a reader needs to compare figures; its name and paths are left out."""
    try:
        system = platform.freedesktop_os_release()["PRETTY_NAME"]
    except OSError:
        system = platform.platform(terse=True)
    return {
        "processor": f"{_processor()}, {os.cpu_count()} cores",
        "memory": f"{psutil.virtual_memory().total / 2**30:.0f} GiB",
        "system": f"{system}, kernel {platform.release()}",
        "load average before": f"{os.getloadavg()[0]:.1f}",
        "python": platform.python_version(),
        "node": node_version,
        **{package: version(package) for package in PACKAGES},
    }


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file() and (found := re.search(r"^model name\s*: (.+)$", cpuinfo.read_text(), re.MULTILINE)):
        return found.group(1)
    return platform.processor() or platform.machine()


def replace_block(document: str, name: str, content: str) -> str:
    """Return the document with what stands between the marks of the benchmark `name` replaced.

    The marks are the comments `<!-- bench NAME -->` and `<!-- end bench NAME -->`. Raises ValueError when the
    document lacks them.
    """
    start, end = f"<!-- bench {name} -->", f"<!-- end bench {name} -->"
    before, found_start, rest = document.partition(start)
    _, found_end, after = rest.partition(end)
    if not (found_start and found_end):
        raise ValueError(f"no place for the figures: put the lines {start} and {end} into the document")
    return f"{before}{start}\n{content.strip()}\n{end}{after}"


def bullet_list(facts: Iterable[tuple[str, str]]) -> str:
    """Return name and value pairs as a Markdown list."""
    return "\n".join(f"- {name}: {value}" for name, value in facts)
