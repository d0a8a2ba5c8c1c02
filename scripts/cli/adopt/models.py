"""`llmctl adopt models`: models of another Ollama become entries of the environment file."""

from typing import Annotated, Any

import typer

from scripts.applications.adoption.models import OllamaModel, read
from scripts.cli.models.file import with_model
from scripts.cli.options import AsJson
from scripts.cli.tools import tools_of
from scripts.core import environment_file
from scripts.core.console import err, out, print_json
from scripts.core.errors import OperatorError

from .options import Confirm, DryRun, Env, agree


def models(
    context: typer.Context,
    environment: Env,
    *,
    source: Annotated[
        str,
        typer.Option(
            "--from",
            metavar="SOURCE",
            help="folder:PATH (OLLAMA_MODELS), tags:FILE (answer of /api/tags) or list:FILE (of `ollama list`).",
        ),
    ],
    pool: Annotated[str, typer.Option("--pool", help="GPU pool of the environment.")],
    dry_run: DryRun = False,
    confirm: Confirm = None,
    as_json: AsJson = False,
) -> None:
    """Write the models of another Ollama into the environment file; the next deployment downloads them.

    Each is checked against the GPU's memory and the other rules; one that breaks a rule stays out and is named with it.
    Weights are downloaded from where Ollama has them; a model that was made with `ollama create` is on no registry.

    Examples: `llmctl adopt models prod --from list:ollama-list.txt --pool t4 --dry-run`,
    `llmctl adopt models prod --from folder:/mnt/ollama/models --pool t4`
    """
    tools = tools_of(context)
    settings = tools.load(environment)
    file = environment_file.file_of(environment)
    before = file.read_text("utf-8")
    there = {model.id for model in settings.models} | {f"{model.id}:latest" for model in settings.models}
    report: dict[str, Any] = {"environment": environment, "added": [], "there": [], "refused": {}}
    text = before
    for model in read(source):
        if model.id in there:
            report["there"].append(model.id)
            continue
        text = _added(environment, text, model, pool, report)
    if not dry_run and report["added"]:
        _show(report, to_err=True)
        agree(
            tools,
            environment,
            confirm,
            f"{len(report['added'])} models are written into environments/{environment}.yaml",
        )
        environment_file.write(file, text)
        report["written"] = True
    if as_json:
        print_json(report)
    else:
        _show(report)


def _added(environment: str, text: str, model: OllamaModel, pool: str, report: dict[str, Any]) -> str:
    """Return the file's text with the model, or as it was, with the reason in the report."""
    fields = model.fields(pool)
    try:
        changed = with_model(text, fields)
        environment_file.parsed(environment, changed)
    except OperatorError as error:
        report["refused"][model.id] = " ".join(error.message.split())
        return text
    report["added"].append(fields)
    return changed


def _show(report: dict[str, Any], *, to_err: bool = False) -> None:
    console = err if to_err else out
    for fields in report["added"]:
        console.print(", ".join(f"{key}: {value}" for key, value in fields.items()), markup=False)
    for one in report["there"]:
        console.print(f"{one}: listed already", markup=False)
    for one, why in report["refused"].items():
        console.print(f"{one} stays out: {why}", markup=False)
    if report.get("written"):
        name = report["environment"]
        console.print(f"Commit environments/{name}.yaml, then download: llmctl deploy {name}", markup=False)
