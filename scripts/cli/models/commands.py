"""`llmctl models`: what the platform serves, changed in the environment file and deployed."""

from typing import TYPE_CHECKING, Annotated

import typer

from scripts.core.consent import Consent
from scripts.core.console import err, out, print_json
from scripts.core.errors import ExitCode, OperatorError
from scripts.core.targets import complete_environment, default_environment, load_environment

if TYPE_CHECKING:
    from scripts.cli.models.change import EngineChange
    from stacks.settings.workloads import ModelSettings

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    help="List, add, remove and download the served models.",
)

Environment = Annotated[
    str | None,
    typer.Argument(metavar="[ENV]", autocompletion=complete_environment, help="Left out: $PLATFORM_ENV, else dev."),
]
Name = Annotated[str, typer.Argument(metavar="MODEL", help="The model's name in the environment file.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Agree beforehand to the plan.")]
Values = Annotated[
    list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Any other key of the model; repeat for several.")
]


@app.command("list")
def list_models(
    environment: Environment = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print the models as JSON.")] = False,
) -> None:
    """Show every model, where it runs and how it fits its GPU. Asks the file alone, not the cluster."""
    from .fit import fits  # noqa: PLC0415 - pydantic costs 0.2 s

    found = fits(load_environment(environment or default_environment()))
    if as_json:
        print_json([fit.as_json() for fit in found])
        return
    for fit in found:
        model = fit.model
        out.print(
            f"{model.name}: {model.engine.value} {model.id} on {model.pool}, {model.min_replicas} to"
            f" {model.max_replicas} replicas, {fit.arithmetic}",
            markup=False,
        )


@app.command("add")
def add(
    name: Name,
    environment: Environment = None,
    *,
    engine: Annotated[str, typer.Option(help="ollama or vllm.")],
    model_id: Annotated[str, typer.Option("--id", help="Ollama tag or Hugging Face repository.")],
    pool: Annotated[str, typer.Option(help="GPU pool of the environment.")],
    weights_gib: Annotated[float, typer.Option(help="Size of the weights in GPU memory.")],
    values: Values = None,
    yes: Yes = False,
) -> None:
    """List another model, deploy it, and show its download.

    The new file is checked first, the GPU's memory included; with a fault nothing is changed. Commit the file.
    """
    from scripts.core.environment_file import file_of  # noqa: PLC0415

    from .file import assignments, with_model  # noqa: PLC0415

    chosen = environment or default_environment()
    fields = {"name": name, "engine": engine, "id": model_id, "pool": pool, "weights_gib": f"{weights_gib:g}"}
    text = with_model(file_of(chosen).read_text("utf-8"), fields | assignments(values or []))
    _change(chosen, yes).make(text)
    out.print(f"{name} is served in {chosen}. Commit environments/{chosen}.yaml.", markup=False)


@app.command("remove")
def remove(name: Name, environment: Environment = None, *, yes: Yes = False) -> None:
    """Take a model off the list and deploy that.

    Its weights stay in the share, and come back with the model without a download, unless serving.prune_models is set.
    """
    from scripts.core.environment_file import file_of  # noqa: PLC0415

    from .file import without_model  # noqa: PLC0415

    chosen = environment or default_environment()
    _change(chosen, yes).make(without_model(file_of(chosen).read_text("utf-8"), name))
    out.print(f"{name} is no longer served in {chosen}. Commit environments/{chosen}.yaml.", markup=False)


@app.command("pull")
def pull(
    environment: Environment = None,
    *,
    model: Annotated[
        list[str] | None, typer.Option("--model", metavar="NAME", help="A model; repeat for several. Left out: all.")
    ] = None,
    yes: Yes = False,
) -> None:
    """Run the downloads into the shares again and show them: what is there stays, what is missing comes.

    After a download that failed, a share that was emptied or restored.
    """
    from stacks.platform.components.serving import ollama, vllm  # noqa: PLC0415
    from stacks.platform.components.serving.engines import SERVING  # noqa: PLC0415

    chosen = environment or default_environment()
    settings = load_environment(chosen)
    ids = _ids(settings.models, model or [])
    downloads = (*ollama.pull_jobs(settings), *vllm.pull_jobs(settings))
    jobs = [job.name for job in downloads if not job.prune and job.arguments[0] in ids]
    if not jobs:
        raise OperatorError(
            f"{chosen} has no downloads into a share",
            "with serving.model_store: node-disk every pod downloads as it starts: llmctl ollama restart",
            ExitCode.REFUSED,
        )
    change = _change(chosen, yes)
    change.require_consent()
    change.kubectl.run("delete", "jobs", *jobs, "-n", SERVING, "--ignore-not-found")
    change.redeploy()
    out.print(f"In the store: {', '.join(ids)}", markup=False)


@app.command("discard-store")
def discard_store(
    environment: Environment = None,
    *,
    confirm: Annotated[
        str, typer.Option("--confirm", metavar="ENV", help="Agree beforehand, by the environment's name.")
    ] = "",
) -> None:
    """Destroy the storage account with all weights. They are no data: the next deployment fetches them again.

    Refused while the cluster mounts it: `llmctl destroy ENV` comes first. Nothing else of the stack disks is touched.
    """
    from .discard_store import discard  # noqa: PLC0415

    discard(environment or default_environment(), confirm)


def _ids(listed: "tuple[ModelSettings, ...]", names: list[str]) -> list[str]:
    """Return the ids of the named models, of all where none is named. Raises OperatorError."""
    by_name = {model.name: model for model in listed}
    for name in names:
        if name not in by_name:
            raise OperatorError(f"no such model: {name}", f"the models are {', '.join(by_name)}", ExitCode.USAGE)
    chosen = [by_name[name] for name in names] or list(listed)
    return list(dict.fromkeys(model.id for model in chosen))


def _change(environment: str, yes: bool) -> "EngineChange":
    from scripts.cli.models.change import EngineChange  # noqa: PLC0415
    from scripts.terraform.outputs import kubectl_of  # noqa: PLC0415

    err.print(f"Models of {environment}", markup=False)
    return EngineChange(environment, kubectl_of(environment), Consent(environment, yes))
