"""The documentation can be followed: pages are found, links lead somewhere, commands are the ones that exist."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.cli.app import COMMANDS
from scripts.core.errors import ExitCode

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
COMMAND_LINE = (ROOT / "docs" / "reference" / "cli.md").read_text("utf-8")

CODE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?://|mailto:)([^)\s]*)\)")


def _name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def _links(page: Path) -> Iterator[tuple[Path, str]]:
    """Yield file and heading that a page's own links lead to."""
    for target in LINK.findall(CODE.sub("", page.read_text("utf-8"))):
        path, _, heading = target.partition("#")
        yield (page.parent / path).resolve() if path else page, heading


def _headings(page: Path) -> set[str]:
    """Return the anchors that Git hosts make of a page's headings."""
    titles = re.findall(r"^#+ (.+)$", CODE.sub("", page.read_text("utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_every_link_leads_to_a_file_and_a_heading(page: Path) -> None:
    missing = [
        f"{target.name}#{heading}"
        for target, heading in _links(page)
        if not target.exists() or (heading and heading not in _headings(target))
    ]
    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_every_file_that_a_page_names_exists(page: Path) -> None:
    named = re.findall(
        r"(?<![\w./-])(?:tests|scripts|stacks|constructs|helm)/[\w./*-]+\.(?:py|sh|yaml|json|md)\b",
        page.read_text("utf-8"),
    )
    assert sorted({path for path in named if next(ROOT.glob(path), None) is None}) == []


def test_every_page_that_the_code_names_exists() -> None:
    files = [file for folder in ("stacks", "constructs", "scripts", "tests") for file in (ROOT / folder).rglob("*.py")]
    named = {page for file in files for page in re.findall(r"\bdocs/[\w/-]+\.md\b", file.read_text("utf-8"))}
    assert len(named) > 10
    assert sorted(page for page in named if not (ROOT / page).exists()) == []


def test_every_page_can_be_reached_from_the_readme() -> None:
    reached: set[Path] = set()
    ahead = [ROOT / "README.md"]
    while ahead:
        page = ahead.pop()
        if page not in reached and page.suffix == ".md" and page.exists():
            reached.add(page)
            ahead += [target for target, _ in _links(page)]
    assert [_name(page) for page in PAGES if page not in reached] == []


def test_every_command_is_documented() -> None:
    table = COMMAND_LINE.partition("## Commands")[2].partition("\n## ")[0]
    assert [name for name in COMMANDS if not re.search(rf"`{name}\b", table)] == []


def test_exit_codes_are_documented_as_they_are() -> None:
    table = COMMAND_LINE.partition("## Exit codes")[2].partition("\n## ")[0]
    assert {int(code) for code in re.findall(r"^\| (\d+) \|", table, re.MULTILINE)} == set(ExitCode)
    assert re.search(rf"^\| {ExitCode.USAGE:d} \| wrong command line", table, re.MULTILINE)
    assert re.search(rf"^\| {ExitCode.CHANGES:d} \| changes are pending", table, re.MULTILINE)


def test_the_readme_makes_an_environment_that_does_not_exist_yet() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    (name,) = set(re.findall(r"llmctl env new (\w+)", readme))
    assert not (ROOT / "environments" / f"{name}.yaml").exists()
    assert f"llmctl deploy {name}" in readme
