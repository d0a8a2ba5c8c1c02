"""A review as Markdown, for the comment on a pull request."""

import re
from collections.abc import Iterator

from .lines import change_lines, loss_lines
from .report import Review, cost_lines, unread_lines

LIMIT = 60_000
"""Characters; GitHub takes comments of 65 536."""

_COLUMNS = ("create", "update", "replace", "destroy", "move")


def markdown(found: Review, limit: int = LIMIT) -> str:
    """Return the review; details are left out, from the last stack on, where it would get longer than `limit`."""
    head = "\n".join(_head(found))
    details = [block for stack in found.plans if (block := _details(found, stack))]
    note = "\n_Details left out, because the text got too long: `llmctl diff {} {}` shows them._\n"
    left_out = [stack for stack, plan in found.plans.items() if plan.resources]
    shown = []
    room = limit - len(head) - len(note) - 200
    for block in details:
        if len(block) > room:
            break
        room -= len(block)
        shown.append(block)
        left_out.pop(0)
    rest = note.format(found.environment, " ".join(left_out)) if left_out else ""
    return "\n".join([head, *shown, rest]).rstrip() + "\n"


def marker(environment: str) -> str:
    """Return the hidden first line, by which the comment of an environment is found again."""
    return f"<!-- llmctl diff {environment} -->"


def _head(found: Review) -> Iterator[str]:
    yield marker(found.environment)
    yield f"### `{found.environment}`: {_verdict(found)}\n"
    losses = list(loss_lines(found))
    if losses:
        yield "> [!CAUTION]"
        yield f"> **{len(losses)} {'resource is' if len(losses) == 1 else 'resources are'} destroyed or replaced**"
        for sentence, why in losses:
            refused = f" **refused: {why}**" if why else ""
            yield f"> - {_code(sentence)}{refused}"
        if found.refusals:
            yield ">"
            yield f"> Agree to a loss in `environments/losses/{found.environment}.yaml`, in this pull request."
        yield ""
    yield f"| stack | {' | '.join(_COLUMNS)} | |"
    yield "|---|" + "--:|" * len(_COLUMNS) + "---|"
    for stack, plan in found.plans.items():
        counts = " | ".join(str(getattr(plan.changes, name) or "·") for name in _COLUMNS)
        note = "up to date" if plan.changes.empty else "outputs change" if plan.changes.outputs else ""
        yield f"| {stack} | {counts} | {note} |"
    for stack, needs in found.waiting.items():
        yield f"| {stack} |{'  |' * len(_COLUMNS)} planned once deployed: {', '.join(needs)} |"
    for stack in found.failed:
        yield f"| {stack} |{'  |' * len(_COLUMNS)} **plan failed** |"
    yield ""
    yield from (f"{line}\n" for line in [*unread_lines(found), *cost_lines(found)])
    if found.unused:
        unused = ", ".join(_code(str(allowance)) for allowance in found.unused)
        yield f"Agreed to, but not lost by these plans (remove once applied): {unused}\n"


def _verdict(found: Review) -> str:
    if found.refusals:
        return "**refused**"
    if found.failed:
        return "**planning failed**"
    if not found.pending:
        return "up to date"
    return "changes"


def _details(found: Review, stack: str) -> str:
    plan = found.plans[stack]
    if not plan.resources:
        return ""
    lines = [line for change in plan.resources for line in change_lines(change, found.prices)]
    body = "\n".join(lines)
    longest = max((len(run) for run in re.findall(r"`{3,}", body)), default=2)
    fence = "`" * max(3, longest + 1)
    return f"<details><summary>{stack}: {plan.changes}</summary>\n\n{fence}diff\n{body}\n{fence}\n\n</details>\n"


def _code(text: str) -> str:
    fence = "``" if "`" in text else "`"
    return f"{fence}{text}{fence}"
