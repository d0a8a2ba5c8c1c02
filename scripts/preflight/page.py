"""The table of docs/reference/preflight.md: `python -m scripts.preflight.page` writes it again."""

from pathlib import Path

from .catalogue import CHECKS

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "preflight.md"
BEGIN, END = "<!-- scripts/preflight/catalogue.py -->\n", "<!-- end -->"


def table() -> str:
    """Return every check as a Markdown table."""
    rows = ["| check | stacks | looks at | otherwise |", "|---|---|---|---|"]
    for check in CHECKS:
        stacks = "all" if len(check.stacks) == 8 else ", ".join(f"`{stack}`" for stack in check.stacks)
        rows.append(f"| {check.name} | {stacks} | {check.looks_at} | {check.why} |")
    return "\n".join(rows) + "\n"


def renewed(page: str) -> str:
    """Return the page with the table as it has to be. Raises ValueError where it has no place for it."""
    before, mark, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not mark or not end:
        raise ValueError(f"{PAGE} has no place for the table")
    return f"{before}{BEGIN}{table()}{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(renewed(PAGE.read_text("utf-8")), "utf-8")
