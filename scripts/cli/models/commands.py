"""`llmctl models`: the served models, changed in the environment file and deployed."""

from typing import Annotated

import typer

from scripts.applications.hub import figures
from scripts.cli.options import AsJson, Environment, Yes
from scripts.cli.tools import tools_of
from scripts.core.consent import Consent
from scripts.core.console import err, out, print_json
from scripts.core.environment_file import parsed, text_of
from scripts.core.errors import ExitCode, OperatorError
from scripts.core.targets import default_environment, known_environment
from stacks.platform.components.serving import ollama, vllm
from stacks.platform.components.serving.engines import SERVING
from stacks.settings.cloud_models import CloudModelSettings
from stacks.settings.model_catalogue.entries import find
from stacks.settings.models import Engine, ModelSettings

from .ask import ask, warm
from .bench import bench
from .change import ModelChange
from .discard_store import discard
from .file import assignments, in_order, with_model, without_model
from .fit import fits
from .fit_table import fit

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    help="List, ask, measure, add, remove and download the served models.",
)
app.command("fit")(fit)
app.command("ask")(ask)
app.command("warm")(warm)
app.command("bench")(bench)

Name = Annotated[str, typer.Argument(metavar="MODEL", help="The model's name in the environment file.")]
Values = Annotated[
    list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Any other key of the model; repeatable.")
]


@app.command("list")
def list_models(context: typer.Context, environment: Environment = None, *, as_json: AsJson = False) -> None:
    """Show every model, where it runs and how it fits its GPU. Reads the file alone, not the cluster.

    Examples: `llmctl models list prod`, `llmctl models list --json`
    """
    settings = tools_of(context).load(environment or default_environment())
    found = fits(settings.models, settings.cluster)
    if as_json:
        print_json(
            [*(each.as_json() for each in found), *(model.model_dump(mode="json") for model in settings.cloud_models)]
        )
        return
    for each in found:
        model = each.model
        out.print(
            f"{model.name}: {model.engine.value} {model.id} on {each.place}, {model.min_replicas} to"
            f" {model.max_replicas} replicas, {each.arithmetic}",
            markup=False,
        )
    for outside in settings.cloud_models:
        out.print(_outside(outside), markup=False)


def _outside(model: CloudModelSettings) -> str:
    return (
        f"{model.name}: {model.engine.value} {model.id} outside the network, at {model.host}, processed in"
        f" {model.processed_in}, {model.usd_per_million_input_tokens:g} USD for a million tokens of prompts and"
        f" {model.usd_per_million_output_tokens:g} of answers"
    )


@app.command("add")
def add(
    context: typer.Context,
    name: Name,
    environment: Environment = None,
    *,
    engine: Annotated[str, typer.Option(help="ollama or vllm; left out, the catalogue's choice.")] = "",
    model_id: Annotated[str, typer.Option("--id", help="Ollama tag or Hugging Face repository.")] = "",
    pool: Annotated[
        str, typer.Option(help="GPU pool, or several in order: spot,regular; left out, one that it fits.")
    ] = "",
    weights_gib: Annotated[float | None, typer.Option(help="Size of the weights in GPU memory.")] = None,
    values: Values = None,
    yes: Yes = False,
) -> None:
    """Add a model to the environment file, deploy it, and show its download.

    A name of the catalogue is enough (`llmctl models fit` lists them). For another repository of Hugging Face, `--id`
    is: sizes are computed from its config.json. The new file is checked first, the GPU's memory included; with an error
    nothing is changed. Commit the file.

    Examples: `llmctl models add qwen3-8b dev`, `llmctl models add own dev --id acme/own-model --pool t4`
    """
    chosen = environment or default_environment()
    named = {
        "engine": engine,
        "id": model_id,
        "pool": in_order(pool.split(",")),
        "weights_gib": "" if weights_gib is None else f"{weights_gib:g}",
    }
    fields = {"name": name} | {key: value for key, value in named.items() if value} | assignments(values or [])
    text = with_model(text_of(chosen), _with_figures(fields))
    # Before the cluster is asked for, which takes Terraform.
    parsed(chosen, text)
    _change(context, chosen, yes=yes).make(text)
    out.print(f"{name} is served in {chosen}. Commit environments/{chosen}.yaml.", markup=False)


def _with_figures(fields: dict[str, str]) -> dict[str, str]:
    """Return the keys with those that a repository outside of the catalogue says of itself."""
    model_id = fields.get("id", "")
    known = find("", model_id) is not None
    if known or "weights_gib" in fields or "/" not in model_id or fields.get("engine") == Engine.OLLAMA:
        return fields
    return {"name": fields["name"], "engine": Engine.VLLM.value} | figures(model_id).fields() | fields


@app.command("remove")
def remove(context: typer.Context, name: Name, environment: Environment = None, *, yes: Yes = False) -> None:
    """Remove a model from the environment file and deploy that.

    Its weights stay in the file share, so adding it again needs no download, unless serving.prune_models is set.

    Examples: `llmctl models remove phi3.5 dev`, `llmctl models remove phi3.5 prod --yes`
    """
    chosen = environment or default_environment()
    tools_of(context).load(chosen)
    text = without_model(text_of(chosen), name)
    parsed(chosen, text)
    _change(context, chosen, yes=yes).make(text)
    out.print(f"{name} is no longer served in {chosen}. Commit environments/{chosen}.yaml.", markup=False)


@app.command("pull")
def pull(
    context: typer.Context,
    environment: Environment = None,
    *,
    model: Annotated[
        list[str] | None, typer.Option("--model", metavar="NAME", help="A model; repeatable. Left out: all.")
    ] = None,
    yes: Yes = False,
) -> None:
    """Run the downloads into the file shares again and show them: only what is missing is fetched.

    For a download that failed, or a share that was emptied or restored.

    Examples: `llmctl models pull prod`, `llmctl models pull prod --model gpt-oss`
    """
    chosen = environment or default_environment()
    settings = tools_of(context).load(chosen)
    ids = _ids(settings.models, model or [])
    downloads = (*ollama.pull_jobs(settings), *vllm.pull_jobs(settings))
    jobs = [job.name for job in downloads if not job.prune and job.arguments[0] in ids]
    if not jobs:
        raise OperatorError(
            f"{chosen} has no downloads into a share",
            "with serving.model_store: node-disk every pod downloads as it starts: llmctl ollama restart",
            ExitCode.REFUSED,
        )
    change = _change(context, chosen, yes=yes)
    change.consent.require_answerable()
    change.kubectl.run("delete", "jobs", *jobs, "-n", SERVING, "--ignore-not-found")
    change.redeploy()
    out.print(f"In the store: {', '.join(ids)}", markup=False)


@app.command("discard-store")
def discard_store(
    context: typer.Context,
    environment: Environment = None,
    *,
    confirm: Annotated[
        str, typer.Option("--confirm", metavar="ENV", help="Agree beforehand, by the environment's name.")
    ] = "",
) -> None:
    """Destroy the storage account of the model weights. The next deployment downloads them again.

    Refused while the cluster mounts it: run `llmctl destroy ENV` first. Nothing else of the stack disks is touched.

    Examples: `llmctl models discard-store dev`, `llmctl models discard-store dev --confirm dev`
    """
    discard(known_environment(environment), confirm, tools_of(context))


def _ids(listed: tuple[ModelSettings, ...], names: list[str]) -> list[str]:
    """Return the ids of the named models, of all where none is named. Raises OperatorError."""
    by_name = {model.name: model for model in listed}
    for name in names:
        if name not in by_name:
            raise OperatorError(f"no such model: {name}", f"the models are {', '.join(by_name)}", ExitCode.USAGE)
    chosen = [by_name[name] for name in names] or list(listed)
    return list(dict.fromkeys(model.id for model in chosen))


def _change(context: typer.Context, environment: str, *, yes: bool) -> ModelChange:
    tools = tools_of(context)
    err.print(f"Models of {environment}", markup=False)
    consent = Consent(environment, yes, terminal=tools.terminal)
    return ModelChange(environment, tools.kubectl_of(environment), consent, tools)
