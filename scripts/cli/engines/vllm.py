"""`llmctl vllm`: the engines of the vLLM models, and other models or values for one of them."""

from typing import TYPE_CHECKING, Annotated

import typer

from scripts.core.consent import Consent
from scripts.core.console import err, out
from scripts.core.errors import ExitCode, OperatorError
from scripts.core.targets import default_environment

from .shared import Environment, add_commands

if TYPE_CHECKING:
    from stacks.platform.components.serving.engines import ServingEngine
    from stacks.settings import Settings

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    help="Look at vLLM, read its log, restart it, give a model other values.",
)


def _engines(settings: "Settings") -> "tuple[ServingEngine, ...]":
    from stacks.platform.components.serving.engines import vllm_engines  # noqa: PLC0415 - pydantic costs 0.2 s

    return vllm_engines(settings)


add_commands(app, "vLLM", _engines)


@app.command("reconfigure")
def reconfigure(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="The model's name in the environment file.")],
    environment: Environment = None,
    *,
    values: Annotated[
        list[str],
        typer.Option("--set", metavar="KEY=VALUE", help="A key of the model, such as id; repeat for several."),
    ],
    check: Annotated[
        bool, typer.Option("--check/--no-check", help="Ask for an answer afterwards, which starts a GPU.")
    ] = True,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Agree beforehand to the plan.")] = False,
) -> None:
    """Give a model other values, another Hugging Face repository among them, and go back if it does not work.

    First the GPU is checked: memory for weights and cache, number formats. Then the plan is shown, deployed, and the
    engine asked for an answer. When the deployment fails or no answer comes in the time that callers are held, the file
    is put back and deployed again. Other models, and other values of this one, are not touched.
    """
    from scripts.applications.engine_probe import answer_problem  # noqa: PLC0415
    from scripts.applications.engines import chosen  # noqa: PLC0415
    from scripts.cli.models.change import EngineChange  # noqa: PLC0415
    from scripts.cli.models.file import assignments, with_model_values  # noqa: PLC0415
    from scripts.core.environment_file import file_of, parsed  # noqa: PLC0415
    from scripts.terraform.outputs import kubectl_of  # noqa: PLC0415
    from stacks.platform.components.serving.engines import vllm_engines  # noqa: PLC0415

    name = environment or default_environment()
    before = file_of(name).read_text("utf-8")
    text = with_model_values(before, model, assignments(values))
    settings = parsed(name, text)
    if text == before:
        raise OperatorError(f"{model} has these values already, so nothing was done", code=ExitCode.REFUSED)
    engine = chosen(vllm_engines(settings), model)
    kubectl = kubectl_of(name)

    def probe() -> str:
        with err.status(f"Waiting for an answer of {engine.name}"):
            return answer_problem(kubectl, settings, engine)

    EngineChange(name, kubectl, Consent(name, yes)).make(text, probe if check else None)
    out.print(f"{model} is reconfigured in {name}. Commit environments/{name}.yaml.", markup=False)
