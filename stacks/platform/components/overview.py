"""The page of what runs in the cluster, made of the components' descriptions."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from stacks.platform.components.base import Component
from stacks.platform.components.registry import by_need, components

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "components.md"
INTRODUCTION = """\
# Components

For whoever wants to know what the platform is made of, and which folder holds it. Made of the descriptions in
`stacks/platform/components/*/component.py` by `python -m stacks.platform.components.overview`; a test compares.

Each component is added to the cluster after those that it needs.

| component | is | needs | host | page |
|---|---|---|---|---|
"""


def overview(described: Iterable[Component]) -> str:
    """Return the page as Markdown, components in the order in which they are added."""
    return INTRODUCTION + "".join(map(_row, by_need(described)))


def _row(component: Component) -> str:
    hosts = ", ".join(f"`{host.label}.<domain>`" for host in component.hosts)
    page = f"[`{Path(component.page).name}`]({_link(component.page)})"
    cells = (f"`{component.name}`", component.summary, ", ".join(_needs(component)), hosts, page)
    return "| " + " | ".join(cells) + " |\n"


def _needs(component: Component) -> Iterator[str]:
    return (f"`{name}`" for name in component.needs)


def _link(page: str) -> str:
    """Return the way to a page of `docs/` from the folder of this one."""
    folder, _, name = page.rpartition("/")
    return name if folder == PAGE.parent.name else f"../{page}"


if __name__ == "__main__":
    PAGE.write_text(overview(components()), "utf-8")
