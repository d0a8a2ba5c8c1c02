"""`llmctl models ask` and `warm`: one question to a model, from the command line."""

from typing import Annotated

import typer

from scripts.applications.chat.asking import Measured, asked
from scripts.applications.engines import Engines
from scripts.cli.options import Environment
from scripts.cli.tools import Tools, tools_of
from scripts.cluster.pod_program import PodProgram
from scripts.core.console import err
from scripts.core.errors import ExitCode, OperatorError
from scripts.core.targets import default_environment
from stacks.platform.common.timeouts import path_seconds
from stacks.platform.components.chat.names import NAMESPACE, RELEASE
from stacks.platform.components.serving.engines import engines
from stacks.settings import Settings
from stacks.settings.models import ModelSettings
from stacks.settings.serving import ServingSettings

MARGIN_S = 60

Name = Annotated[str, typer.Argument(metavar="MODEL", help="The model's name in the environment file.")]


def ask(
    context: typer.Context,
    model: Name,
    question: Annotated[str, typer.Argument(metavar="QUESTION", help="What to ask, in quotes.")],
    environment: Environment = None,
    *,
    most_tokens: Annotated[int, typer.Option("--max-tokens", min=1, max=32768, help="Longest answer.")] = 1024,
) -> None:
    """Ask a model one question and print its answer as it comes. Starts the model where it is at zero.

    The question goes out from a pod of the chat, with the chat's key, through LLM gateway and engine. Afterwards
    standard error has the tokens, what they count at the price of the environment file, and which pod answered.

    Examples: `llmctl models ask phi3.5 "What is a span?" dev`, `llmctl models ask gpt-oss "Hello" prod --max-tokens 50`
    """
    if not question.strip():
        raise OperatorError("QUESTION is empty", "write what to ask, in quotes", ExitCode.USAGE)
    tools, name = tools_of(context), environment or default_environment()
    settings = tools.load(name)
    served = listed(settings, model)
    measured = _answer(
        tools, settings.name, settings.serving, model, question=question, most_tokens=most_tokens, show=True
    )
    usd = (measured.tokens_in + measured.tokens_out) * served.usd_per_million_tokens / 1e6
    first = "" if measured.first_s is None else f", the first after {measured.first_s:.1f} s"
    err.print(
        f"{measured.tokens_in} tokens in, {measured.tokens_out} out{first}: {usd:.6f} USD at the price of the file."
        f" Answered by {_pods(tools, settings, served)}.",
        markup=False,
    )


def warm(context: typer.Context, model: Name, environment: Environment = None) -> None:
    """Start a model before people ask it; it stays until its idle time is over. Returns when it has answered.

    Examples: `llmctl models warm gpt-oss prod`, `llmctl models warm phi3.5`
    """
    tools, name = tools_of(context), environment or default_environment()
    settings = tools.load(name)
    listed(settings, model)
    _answer(tools, settings.name, settings.serving, model, question="Say yes.", most_tokens=16, show=False)
    err.print(f"{model} answers. It scales to zero again after its idle time without a question.", markup=False)


def listed(settings: Settings, model: str) -> ModelSettings:
    """Return a model that the environment's chat can ask. Raises OperatorError."""
    found = next((each for each in settings.models if model in each.served_names), None)
    if found is None:
        names = [name for each in settings.models for name in each.served_names]
        raise OperatorError(
            f"{settings.name} has no model {model}", f"it has {', '.join(names) or 'none'}", ExitCode.USAGE
        )
    if not settings.chat.enabled:
        raise OperatorError(f"{settings.name} has no chat, whose pod asks", "call the API with a key", ExitCode.REFUSED)
    if not settings.gateway.enabled:
        raise OperatorError(f"{settings.name} runs no LLM gateway, which is asked", "llmctl health", ExitCode.REFUSED)
    return found


def patience_s(serving: ServingSettings) -> int:
    """Seconds that a caller waits without hearing anything: longer than everything on the way."""
    return path_seconds(serving) + MARGIN_S


def chat_program(tools: Tools, environment: str) -> PodProgram:
    """Return what runs programs in a pod of the chat."""
    return tools.in_pod(tools.kubectl_of(environment), NAMESPACE, f"deployment/{RELEASE}", RELEASE)


def _answer(
    tools: Tools, environment: str, serving: ServingSettings, model: str, *, question: str, most_tokens: int, show: bool
) -> Measured:
    given = {
        "model": model,
        "question": question,
        "most_tokens": most_tokens,
        "people": 1,
        "each": 1,
        "patience_s": patience_s(serving),
        "texts": True,
    }
    measured: Measured | None = None
    err.print(f"Asking {model}; a GPU that has to start takes minutes", markup=False)
    for part in asked(chat_program(tools, environment), given):
        if isinstance(part, Measured):
            measured = part
        elif show:
            typer.echo(part, nl=False)
    if measured is None:
        raise OperatorError("the chat's pod printed no answer", "llmctl webui status")
    if measured.status != 200:
        how = f"answers {measured.status}" if measured.status else "gives no answer"
        raise OperatorError(f"{model} {how}: {measured.problem[:200]}", f"llmctl health {environment} --model {model}")
    if show:
        typer.echo()
    return measured


def _pods(tools: Tools, settings: Settings, model: ModelSettings) -> str:
    """Name the pod that answered; of several that were ready, one did, and nothing on the way says which."""
    engine = next(each for each in engines(settings.models, settings.cluster) if model in each.models)
    ready = [pod.name for pod in Engines(tools.kubectl_of(settings.name)).pods([engine]) if pod.ready]
    if not ready:
        return f"{engine.name}, whose pod is gone by now"
    return ready[0] if len(ready) == 1 else f"one of {', '.join(ready)}"
