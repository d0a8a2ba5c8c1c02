"""Finds the command lines of other programs in the code and on the pages: az, kubectl, helm, cosign, docker."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[3]
PROGRAMS = ("az", "kubectl", "helm", "cosign", "docker")
_HELPERS = {"az": "az", "az_list": "az", "az_text": "az", "ask": "az", "_json": "az"}
"""Functions that run a program with the arguments they are called with."""
_INJECTED = {"ask", "ask_list", "tell"}
"""Attributes that hold one of them."""
_KUBECTL = {"run": (), "json": (), "follow": (), "items": ("get",), "_hand_over": ()}
"""Methods that run kubectl, with the words that they put before their arguments."""
_LINE = re.compile(
    r"(?<![\w./:@<-])(?P<program>az|kubectl|helm|cosign|docker) (?P<rest>[a-z][a-z-]*(?![\w.]*[a-z]:)[^`\n]*)"
)
_WORD = re.compile(r"[a-z][a-z-]*$")
_OPTION = re.compile(r"(?<![\w-])(--?[a-z][a-z-]*)(?=[\s=\"',\])}]|$)")
_NOT_CODE = ("scripts/lab/rehearsal/fake_provider", "scripts/lab/simulation")


@dataclass(frozen=True)
class Found:
    """The beginning of one command line, as far as it is fixed."""

    program: str
    words: tuple[str, ...]
    """The command: words up to the first option or value."""
    options: frozenset[str]
    where: str


def on_pages() -> Iterator[Found]:
    """Yield the command lines in backticks and code blocks of README and docs."""
    for page in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))):
        text = page.read_text("utf-8").replace("\\\n", " ")
        block = False
        for number, line in enumerate(text.splitlines(), start=1):
            if line.lstrip().startswith("```"):
                block = not block
                continue
            code = [line] if block else re.findall(r"`([^`]+)`", line)
            for part in code:
                yield from _in_text(part, f"{page.relative_to(ROOT)}:{number}")


def in_code() -> Iterator[Found]:
    """Yield the command lines that the code runs, prints or advises."""
    for folder in ("scripts", "constructs", "stacks"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            name = path.relative_to(ROOT).as_posix()
            if not name.startswith(_NOT_CODE):
                yield from _in_module(ast.parse(path.read_text("utf-8")), name)


def _in_module(tree: ast.Module, name: str) -> Iterator[Found]:
    inside = set()
    docstrings = {
        id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            inside |= {id(part) for part in ast.walk(node)} - {id(node)}
    for node in ast.walk(tree):
        where = f"{name}:{getattr(node, 'lineno', 0)}"
        if id(node) in inside or id(node) in docstrings:
            continue
        if isinstance(node, ast.JoinedStr | ast.Constant):
            yield from _in_text(_text(node), where)
        elif isinstance(node, ast.Tuple | ast.List):
            words = _words(node.elts)
            if words and words[0] in PROGRAMS:
                yield from _of_words(words[0], words[1:], where)
        elif isinstance(node, ast.Call):
            yield from _of_call(node, where)


def _of_call(call: ast.Call, where: str) -> Iterator[Found]:
    words = _words(call.args)
    if isinstance(call.func, ast.Name) and call.func.id in _HELPERS and words:
        yield from _of_words(_HELPERS[call.func.id], words, where)
    elif words and isinstance(call.func, ast.Attribute) and call.func.attr in _INJECTED:
        yield from _of_words("az", words, where)
    elif words and isinstance(call.args[0], ast.Attribute) and call.args[0].attr in _INJECTED:
        yield from _of_words("az", words[1:], where)  # partial(self.ask, …)
    elif words and words[0] in PROGRAMS and len(words) > 1:
        yield from _of_words(words[0], words[1:], where)
    elif isinstance(call.func, ast.Attribute) and call.func.attr in _KUBECTL:
        of = ast.unparse(call.func.value)
        if "kubectl" in of or call.func.attr == "_hand_over":
            yield from _of_words("kubectl", [*_KUBECTL[call.func.attr], *words], where)


def _words(nodes: list[ast.expr]) -> list[str]:
    found: list[str] = []
    for node in nodes:
        if isinstance(node, ast.Starred) and isinstance(node.value, ast.Tuple | ast.List):
            found += _words(node.value.elts)
        elif isinstance(node, ast.Constant | ast.JoinedStr):
            found.append(_text(node))
        else:
            found.append("…")
    return found


def _text(node: ast.expr) -> str:
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)
    return ""


def _in_text(text: str, where: str) -> Iterator[Found]:
    for match in _LINE.finditer(text):
        rest = re.split(r"\s+(?:&&|\|\||\||;)\s+|[;)`]|$", match["rest"], maxsplit=1)[0]
        yield from _of_words(match["program"], rest.split(), where)


def _of_words(program: str, words: list[str], where: str) -> Iterator[Found]:
    command = []
    for word in words:
        if not _WORD.match(word):
            break
        command.append(word)
    if command:
        options = frozenset(option for word in words for option in _OPTION.findall(word.strip("`'\"[]()")))
        yield Found(program, tuple(command), options, where)
