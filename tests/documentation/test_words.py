"""Pages, help texts and docstrings use the words of docs/glossary.md: the replaced ones do not come back."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scripts.cli.app import COMMANDS, load

ROOT = Path(__file__).parents[2]
REPLACED = {
    r"(?<!Azure )front doors?": "ingress",
    r"stand-ins?|stand-in providers?|pretend(?:ed|s)?": "fake provider, fake cloud",
    r"(?<!LLM )(?<!Application )(?<!application )(?<!NAT )(?<!API )(?<!Kubernetes )gateways?\b(?! API)": (
        "LLM gateway, Application Gateway or NAT gateway"
    ),
    r"judged?|judges|judging": "check",
    r"faults?(?! injection)": "error",
    r"flows?": "traffic rule",
    r"delivered secrets?": "external secret",
    r"ledgers?": "migration history",
    r"sleeps?|asleep|wakes?|woken|waking|wake up": "scales to zero, starts",
    r"(?:is|are|be|was|were|been) told": "is reported",
    r"(?<!at )(?<!by )hands? on|handed on": "outputs, passes",
    r"anew": "again",
    r"secret vault|login application|identity role|deletion guard|outbound nat|ingress gateway": (
        "Key Vault, Entra application, role assignment, deletion policy, private endpoint, NAT gateway"
    ),
    r"the way on|everybody's rights|by itself alone": "say what happens",
}
_WORD = re.compile("|".join(rf"(?P<w{number}>\b(?:{words})\b)" for number, words in enumerate(REPLACED)), re.IGNORECASE)
ALLOWED = {
    "fault": ("inject", "Inject", "faults.yaml"),
    "judge": ("as a judge", "LLM as a", "LLM-as-a"),
    "gateway": ("port-forward gateway",),
    "sleep": ("preStop", "no sleep"),
}
"""Field terms that contain a replaced word: they stand in the same line."""
PAGES = sorted(
    [
        *(ROOT / "docs").rglob("*.md"),
        *(ROOT / name for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")),
        *(page for folder in ("constructs", "stacks", "scripts") for page in (ROOT / folder).rglob("*.md")),
    ]
)
GLOSSARY = ROOT / "docs" / "glossary.md"


def replaced_words(text: str) -> list[str]:
    """Return the replaced words in prose, each with what to use instead; code and the targets of links are no prose."""
    found = []
    for line in _prose(text).splitlines():
        for match in _WORD.finditer(line):
            word = match[0].lower()
            if any(word.startswith(key) and any(it in line for it in beside) for key, beside in ALLOWED.items()):
                continue
            use = list(REPLACED.values())[int((match.lastgroup or "w0")[1:])]
            found.append(f"{match[0]!r} (use: {use}): {line[max(0, match.start() - 50) : match.end() + 50].strip()}")
    return found


def _prose(text: str) -> str:
    text = re.sub(r"^\s*```.*?^\s*```$", "", text, flags=re.MULTILINE | re.DOTALL)
    text = re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL)
    text = re.sub(r"``[^`]*``|`[^`]*`", "CODE", text)
    text = re.sub(r"\]\([^)]*\)|https?://\S+", "", text)
    return re.sub(r"\n[ \t]*(?=[^\s|#*-])", " ", text)  # a term may be broken at the end of a line


@pytest.mark.parametrize("page", [page for page in PAGES if page != GLOSSARY], ids=lambda page: page.name)
def test_pages_use_the_words_of_the_glossary(page: Path) -> None:
    assert replaced_words(page.read_text("utf-8")) == []


def _help_texts(command: Any, name: str) -> Iterator[tuple[str, str]]:
    yield name, command.help or ""
    for parameter in command.params:
        yield f"{name} {parameter.name}", getattr(parameter, "help", None) or ""
    for sub, inner in getattr(command, "commands", {}).items():
        yield from _help_texts(inner, f"{name} {sub}")


@pytest.mark.parametrize("name", COMMANDS)
def test_help_uses_the_words_of_the_glossary(name: str) -> None:
    texts = [(name, COMMANDS[name].help), *_help_texts(load(COMMANDS[name], name), name)]
    assert [(where, replaced_words(text)) for where, text in texts if replaced_words(text)] == []


MODULES = sorted(
    [
        ROOT / "main.py",
        *(path for folder in ("constructs", "stacks", "scripts", "tests") for path in (ROOT / folder).rglob("*.py")),
    ]
)


def _docstrings(node: ast.AST) -> Iterator[str]:
    """Yield the docstrings of a module, and of its classes and functions whose names are public."""
    if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        yield ast.get_docstring(node) or ""
    for inner in ast.iter_child_nodes(node):
        if isinstance(inner, ast.ClassDef | ast.FunctionDef) and not inner.name.startswith("_"):
            yield from _docstrings(inner)


@pytest.mark.parametrize("folder", ["main.py", "constructs", "stacks", "scripts", "tests"])
def test_public_docstrings_use_the_words_of_the_glossary(folder: str) -> None:
    """Inside a module that is about one gateway, the word alone says which."""
    found = [
        f"{path.relative_to(ROOT)}: {word}"
        for path in MODULES
        if path.relative_to(ROOT).parts[0] == folder
        for text in _docstrings(ast.parse(path.read_text("utf-8")))
        for word in replaced_words(text)
        if not word.lower().startswith("'gateway")
    ]
    assert found == []


@pytest.mark.parametrize(
    "page", sorted((ROOT / "docs").rglob("*.md")), ids=lambda page: page.relative_to(ROOT).as_posix()
)
def test_a_page_begins_with_whom_it_is_for(page: Path) -> None:
    title, blank, first = page.read_text("utf-8").splitlines()[:3]
    assert title.startswith("# ")
    assert not blank
    assert first.startswith("For "), first


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("The front door of the platform.", 1),
        ("`front_door` is a key.", 0),
        ("The LLM gateway calls the Application Gateway.", 0),
        ("The gateway answers.", 1),
        ("The LLM\ngateway answers.", 0),
        ("- The front\n  door answers.", 1),
        ("Faults are injected.", 0),
        ("One fault each.", 1),
        ("[x](front-door.md)", 0),
    ],
)
def test_a_replaced_word_would_be_noticed(text: str, count: int) -> None:
    assert len(replaced_words(text)) == count


def test_the_glossary_names_every_word_once() -> None:
    terms = re.findall(r"^\| \*\*(.+?)\*\* \|", GLOSSARY.read_text("utf-8"), re.MULTILINE)
    assert len(terms) > 40
    assert len(terms) == len(set(terms))
