"""`llmctl models bench`: what a model answers to so many people at once, measured through the LLM gateway."""

import math
from dataclasses import asdict
from typing import Annotated

import typer
from rich.table import Table

from scripts.applications.chat.asking import Level, level
from scripts.cli.options import AsJson, Environment, Yes
from scripts.cli.tools import tools_of
from scripts.core.consent import Consent
from scripts.core.console import err, out, print_json
from scripts.core.errors import ExitCode, OperatorError
from scripts.core.targets import default_environment
from scripts.cost.amount import HOURS
from scripts.cost.nodes import nodes_cost
from scripts.cost.prices import Prices, kept_prices
from stacks.settings.cluster import ClusterSettings
from stacks.settings.models import ModelSettings

from .ask import Name, chat_program, patience_s
from .askable import own

QUESTION = "Explain in plain words how a container differs from a virtual machine, and when you would take which."
SLOWEST_TOKENS_PER_S = 5
"""Tokens a second of one answer for which the estimate leaves time: less is nothing that people would use."""
NODE_START_MINUTES = 15
MOST_PEOPLE = 256


def bench(
    context: typer.Context,
    model: Name,
    environment: Environment = None,
    *,
    people: Annotated[str, typer.Option(help="People at once, one level after the other.")] = "1,4,16",
    each: Annotated[int, typer.Option(min=1, max=100, help="Questions of each, one after the other.")] = 2,
    most_tokens: Annotated[int, typer.Option("--max-tokens", min=16, max=32768, help="Longest answer.")] = 256,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Measure a model: tokens a second and time to the first token, by the number of people who ask at once.

    The questions go out from a pod of the chat, with its key, through LLM gateway and engine, as those of people do;
    they count in its budget and slow down others. A model at zero is started first, which is shown by itself. What it
    costs at most is estimated and has to be confirmed.

    Examples: `llmctl models bench qwen2-5-7b dev`, `llmctl models bench gpt-oss prod --people 1,8,32 --yes --json`
    """
    levels = _levels(people)
    tools, name = tools_of(context), environment or default_environment()
    settings = tools.load(name)
    measured = own(settings, model)
    prices = kept_prices(settings.azure.region)
    consent = Consent(name, yes, terminal=tools.terminal)
    answers = [count * each for count in levels]
    err.print(
        _estimate(
            settings.cluster,
            measured,
            prices,
            answers,
            longest_s=len(levels) * each * most_tokens / SLOWEST_TOKENS_PER_S,
            most_tokens=most_tokens,
        ),
        markup=False,
    )
    consent.obtain("Measure?", {})
    run = chat_program(tools, name)
    asked = {
        "model": model,
        "question": QUESTION,
        "most_tokens": most_tokens,
        "patience_s": patience_s(settings.serving),
    }
    with err.status(f"Starting {model}"):
        start = level(run, 1, 1, asked | {"most_tokens": 16}, fallback=measured.fallback)
    if start.failed:
        raise OperatorError(f"{model} does not answer: {start.problem}", f"llmctl health {name} --model {model}")
    found = []
    for count in levels:
        with err.status(f"{count} at once, {each} questions each"):
            found.append(level(run, count, each, asked, fallback=measured.fallback))
    if as_json:
        print_json(
            {
                "environment": name,
                "model": model,
                "gpu": f"{measured.gpus} x {settings.cluster.gpu_pools[measured.first_pool].known_size.gpu.model}",
                "date": tools.now().date().isoformat(),
                "max_tokens": most_tokens,
                "first_answer_s": start.first_s,
                "levels": [asdict(each_level) for each_level in found],
            }
        )
        return
    out.print(_table(model, found))
    err.print(f"First answer, a start included: {_seconds(start.first_s)}.", markup=False)
    for each_level in found:
        if each_level.problem:
            err.print(f"{each_level.people} at once: {each_level.problem}", markup=False)


def _levels(people: str) -> list[int]:
    try:
        found = [int(part) for part in people.split(",")]
    except ValueError:
        found = [0]
    if not all(1 <= count <= MOST_PEOPLE for count in found):
        raise OperatorError(
            f"--people: {people!r} is no list of numbers up to {MOST_PEOPLE}", "write such as 1,4,16", ExitCode.USAGE
        )
    return found


def _estimate(
    cluster: ClusterSettings,
    model: ModelSettings,
    prices: Prices,
    answers: list[int],
    *,
    longest_s: float,
    most_tokens: int,
) -> str:
    """The most that it costs: nodes for `longest_s`, a start and the idle time after it; tokens at their price."""
    pool = cluster.gpu_pools[model.first_pool]
    nodes = math.ceil(model.max_replicas * model.gpus / pool.known_size.gpus)
    minutes = NODE_START_MINUTES + model.idle_minutes + longest_s / 60
    cost = nodes_cost([(pool.vm_size, pool.priority == "spot", nodes)], prices)
    nodes_text = f"{nodes} {'node' if nodes == 1 else 'nodes'} of {pool.vm_size}"
    usd = f"{cost.high / HOURS * minutes / 60:.2f} USD" if cost.known else "a price that is not known here"
    tokens = sum(answers) * (most_tokens + 40)
    charged = tokens * model.usd_per_million_tokens / 1e6
    return (
        f"At most {usd}: {nodes_text} for {minutes:.0f} minutes, start and idle time included. Up to {tokens:,} tokens"
        f" count {charged:.2f} USD in the chat's spend."
    )


def _table(model: str, found: list[Level]) -> Table:
    table = Table("people at once", box=None, header_style="bold", title=model)
    for heading in ("first token", "95 of 100", "tokens/s each", "tokens/s all", "failed"):
        table.add_column(heading, justify="right")
    for one in found:
        speed = "-" if one.person_tokens_per_s is None else f"{one.person_tokens_per_s:.1f}"
        table.add_row(
            str(one.people), _seconds(one.first_s), _seconds(one.first_p95_s), speed, f"{one.tokens_per_s:.1f}",
            f"{one.failed} of {one.answers}",
        )  # fmt: skip
    return table


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f} s"
