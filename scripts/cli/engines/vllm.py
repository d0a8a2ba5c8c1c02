"""`llmctl vllm`: the engines of the vLLM models, and other values for one of them."""

from typing import Annotated

import typer

from scripts.applications.engine_probe import answer_problem
from scripts.applications.engines import chosen
from scripts.cli.models.change import ModelChange
from scripts.cli.models.file import assignments, with_model_values
from scripts.cli.options import Environment, Yes
from scripts.cli.tools import tools_of
from scripts.core.consent import Consent
from scripts.core.console import err, out
from scripts.core.environment_file import parsed, text_of
from scripts.core.errors import ExitCode, OperatorError
from scripts.core.targets import default_environment
from stacks.platform.components.serving.engines import vllm_engines

from .shared import add_commands

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    help="vLLM: status, logs, health, restart, other values for a model.",
)
add_commands(app, "vLLM", vllm_engines)


@app.command("reconfigure")
def reconfigure(
    context: typer.Context,
    model: Annotated[str, typer.Argument(metavar="MODEL", help="The model's name in the environment file.")],
    environment: Environment = None,
    *,
    values: Annotated[
        list[str],
        typer.Option(
            "--set", metavar="KEY=VALUE", help="A key of the model, such as id or pool=spot,regular; repeatable."
        ),
    ],
    check: Annotated[
        bool, typer.Option("--check/--no-check", help="Request an answer afterwards, which starts a GPU node.")
    ] = True,
    yes: Yes = False,
) -> None:
    """Change values of a model, such as its Hugging Face repository, and roll back when it does not answer.

    Checks that the model fits the GPU (memory for weights and cache, number formats), shows the plan, deploys, and
    requests an answer. When the deployment fails, or no answer comes within the time that requests are held, the file
    is restored and deployed again. Other models and values are not touched.

    Examples: `llmctl vllm reconfigure qwen2-5-7b dev --set context_tokens=8192 --check`,
    `llmctl vllm reconfigure qwen2-5-7b prod --set context_tokens=8192 --yes`
    """
    tools, name = tools_of(context), environment or default_environment()
    before = text_of(name)
    text = with_model_values(before, model, assignments(values))
    settings = parsed(name, text)
    if text == before:
        raise OperatorError(f"{model} has these values already, so nothing was done", code=ExitCode.REFUSED)
    engine = chosen(vllm_engines(settings.models, settings.cluster), model)
    kubectl = tools.kubectl_of(name)

    def probe() -> str:
        with err.status(f"Waiting for an answer from {engine.name}"):
            return answer_problem(kubectl, settings.serving, engine)

    ModelChange(name, kubectl, Consent(name, yes, terminal=tools.terminal), tools).make(text, probe if check else None)
    out.print(f"{model} is reconfigured in {name}. Commit environments/{name}.yaml.", markup=False)
