"""`llmctl simulate`: GPU scaling policies, compared by cost and waiting times."""

from importlib import import_module
from pathlib import Path
from time import perf_counter
from types import ModuleType
from typing import Annotated

import typer

from scripts.core.console import err, out, print_json
from scripts.core.errors import ExitCode, OperatorError
from scripts.core.targets import complete_environment, default_environment, load_environment
from scripts.core.workspace import ROOT
from scripts.lab.simulation import chapter, compare, report, scenario, sources, traffic
from scripts.lab.simulation.policies import Policy
from scripts.lab.simulation.run import horizon_s

app = typer.Typer(
    add_completion=False, no_args_is_help=True, help="Simulate GPU scaling policies (cost and waiting times)."
)

POLICIES = "always-on,scheduled,scale-to-zero"
_ASSUMPTIONS = typer.Option("--assumptions", metavar="FILE", help="YAML file with your own assumptions.")
_SET = typer.Option("--set", metavar="GROUP.KEY=VALUE", help="Change one assumption; repeatable.")


@app.command("scaling")
def scaling(
    environment: Annotated[
        str | None,
        typer.Argument(metavar="[ENV]", autocompletion=complete_environment, help="Left out: $PLATFORM_ENV, else dev."),
    ] = None,
    *,
    model: Annotated[str | None, typer.Option(help="Model of the environment; left out: the first on vLLM.")] = None,
    trace: Annotated[
        Path | None, typer.Option(metavar="FILE", help="CSV of request arrivals; format: docs/explanation/scaling.md.")
    ] = None,
    pattern: Annotated[str, typer.Option(help="Generated arrivals: office-hours, steady or bursty.")] = "office-hours",
    requests: Annotated[float, typer.Option(min=0, help="Generated arrivals per week.")] = 5000,
    days: Annotated[float, typer.Option(min=0.01, max=366, help="Length of the generated trace.")] = 7,
    policy: Annotated[str, typer.Option(help="Policies, comma-separated; also: suspended.")] = POLICIES,
    idle_minutes: Annotated[str, typer.Option(help="Idle times to compare, comma-separated.")] = "",
    max_replicas: Annotated[str, typer.Option(help="Replica limits to compare, comma-separated.")] = "",
    pools: Annotated[
        str, typer.Option(help="How many of the model's pools to use, to compare, comma-separated: 1,2.")
    ] = "",
    seed: Annotated[int, typer.Option(help="Random seed of the generated trace.")] = 0,
    assumptions_file: Annotated[Path | None, _ASSUMPTIONS] = None,
    change: Annotated[list[str] | None, _SET] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
    plot: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write SVG plots to this folder (needs `llmctl setup --dev`).")
    ] = None,
) -> None:
    """Compare scaling policies of a model: cost, and how long users wait.

    Simulates a week of requests against KEDA, the pod autoscaler and the cluster autoscaler. Sizes and limits come
    from the environment file; speeds, start times and prices are assumptions: `llmctl simulate assumptions`.

    Examples: `llmctl simulate scaling prod`, `llmctl simulate scaling dev --pattern bursty --idle-minutes 10,30,60`
    """
    settings = load_environment(environment or default_environment())
    try:
        assumed, origins = sources.load(sources.changes(assumptions_file, change or ()))
        served = scenario.model_of(settings.name, settings.models, model)
        played = scenario.scenario(settings, served, assumed)
        if trace:
            arrivals = traffic.read_trace(trace, assumed.traffic, seed)
            end_s = horizon_s(arrivals)
        else:
            arrivals = traffic.generate(pattern, requests, days, assumed.traffic, seed)
            end_s = days * traffic.DAY_S
    except (sources.AssumptionError, scenario.ScenarioError, traffic.TraceError) as error:
        raise OperatorError(str(error), code=ExitCode.USAGE) from None
    started = perf_counter()
    cases = compare.compare(
        arrivals,
        settings,
        served,
        assumed,
        policies=_policies(policy),
        idle_minutes=_numbers(idle_minutes, "--idle-minutes"),
        max_replicas=_numbers(max_replicas, "--max-replicas"),
        pools=_numbers(pools, "--pools"),
        seed=seed,
        until_s=end_s,
    )
    err.print(f"{len(arrivals)} requests, {len(cases)} cases, played in {perf_counter() - started:.1f} s", markup=False)
    if plot:
        for path in _module("plots").write(plot, arrivals, cases):
            err.print(f"{path} written", markup=False)
    if as_json:
        values = {origin.key: origin.value for origin in origins}
        print_json(
            {"model": played.model, "vm_size": played.vm_size, "assumptions": values, "cases": report.plain(cases)}
        )
    else:
        out.print(report.table(f"{played.model} on {played.vm_size}", cases))


@app.command("assumptions")
def assumptions(
    assumptions_file: Annotated[Path | None, _ASSUMPTIONS] = None,
    change: Annotated[list[str] | None, _SET] = None,
) -> None:
    """List the assumptions of the simulation, with sources, as Markdown.

    Examples: `llmctl simulate assumptions`, `llmctl simulate assumptions --set keda.polling_interval_s=30`
    """
    try:
        _, origins = sources.load(sources.changes(assumptions_file, change or ()))
    except sources.AssumptionError as error:
        raise OperatorError(str(error), code=ExitCode.USAGE) from None
    out.print(report.assumptions_markdown(origins), markup=False, soft_wrap=True)


@app.command("docs")
def docs(
    write: Annotated[bool, typer.Option("--write", help="Write docs/explanation/scaling.md and docs/images/.")] = False,
) -> None:
    """Print the figures of docs/explanation/scaling.md, or write them with their plots.

    Examples: `llmctl simulate docs`, `llmctl simulate docs --write`
    """
    if write:
        for path in _module("chapter_files").write(ROOT):
            err.print(f"{path.relative_to(ROOT)} written", markup=False)
    else:
        out.file.write(chapter.text(chapter.studies()) + "\n")


def _module(name: str) -> ModuleType:
    """Import a module that needs the development packages: all other commands here work without them."""
    try:
        return import_module(f"scripts.lab.simulation.{name}")
    except ModuleNotFoundError as error:
        raise OperatorError(f"{error.name} is not installed", "run `llmctl setup --dev`", ExitCode.NOT_READY) from None


def _policies(names: str) -> list[Policy]:
    known = {policy.value: policy for policy in Policy}
    chosen = [name.strip() for name in names.split(",")]
    for name in chosen:
        if name not in known:
            raise OperatorError(f"there is no policy {name!r}; there are {', '.join(known)}", code=ExitCode.USAGE)
    return [known[name] for name in chosen]


def _numbers(text: str, option: str) -> list[int]:
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not all(part.isdecimal() and int(part) > 0 for part in parts):
        raise OperatorError(f"{option} must be whole numbers above 0 with commas, not {text!r}", code=ExitCode.USAGE)
    return [int(part) for part in parts]
