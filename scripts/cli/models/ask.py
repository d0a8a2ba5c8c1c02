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
from stacks.settings.cloud_models import CloudModelSettings
from stacks.settings.models import ModelSettings
from stacks.settings.serving import ServingSettings

from .askable import askable, fallback_of, own

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
    standard error has the tokens, what they count at the price of the environment file, and which pod answered, or
    which cloud model outside the network.

    Examples: `llmctl models ask phi3.5 "What is a span?" dev`, `llmctl ask gpt-oss "Hello" prod --max-tokens 50`
    """
    if not question.strip():
        raise OperatorError("QUESTION is empty", "write what to ask, in quotes", ExitCode.USAGE)
    tools, name = tools_of(context), environment or default_environment()
    settings = tools.load(name)
    served = askable(settings, model)
    measured = _answer(
        tools, settings.name, settings.serving, model, question=question, most_tokens=most_tokens, show=True,
        starts=isinstance(served, ModelSettings),
    )  # fmt: skip
    first = "" if measured.first_s is None else f", the first after {measured.first_s:.1f} s"
    err.print(
        f"{measured.tokens_in} tokens in, {measured.tokens_out} out{first}:"
        f" {_price_and_place(tools, settings, served, measured)}.",
        markup=False,
    )


def warm(context: typer.Context, model: Name, environment: Environment = None) -> None:
    """Start a model before people ask it; it stays until its idle time is over. Returns when it has answered.

    Examples: `llmctl models warm gpt-oss prod`, `llmctl models warm phi3.5`
    """
    tools, name = tools_of(context), environment or default_environment()
    settings = tools.load(name)
    served = own(settings, model)
    measured = _answer(
        tools, settings.name, settings.serving, model, question="Say yes.", most_tokens=16, show=False, starts=True
    )
    if outside := fallback_of(settings.cloud_models, served, measured):
        raise OperatorError(
            f"{model} did not start: {outside.name}, outside the network, answered instead",
            f"llmctl health {name} --model {model}",
        )
    err.print(f"{model} answers. It scales to zero again after its idle time without a question.", markup=False)


def patience_s(serving: ServingSettings) -> int:
    """Seconds that a caller waits without hearing anything: longer than everything on the way."""
    return path_seconds(serving) + MARGIN_S


def chat_program(tools: Tools, environment: str) -> PodProgram:
    """Return what runs programs in a pod of the chat."""
    return tools.in_pod(tools.kubectl_of(environment), NAMESPACE, f"deployment/{RELEASE}", RELEASE)


def _answer(
    tools: Tools,
    environment: str,
    serving: ServingSettings,
    model: str,
    *,
    question: str,
    most_tokens: int,
    show: bool,
    starts: bool,
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
    err.print(f"Asking {model}{'; a GPU that has to start takes minutes' if starts else ''}", markup=False)
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


def _price_and_place(
    tools: Tools, settings: Settings, served: ModelSettings | CloudModelSettings, measured: Measured
) -> str:
    if isinstance(served, CloudModelSettings):
        return f"{_usd(measured, served)}. Left the network: {_place(served)}"
    if outside := fallback_of(settings.cloud_models, served, measured):
        return f"{_usd(measured, outside)}. Left the network, as {served.name} failed: {_place(outside)}"
    usd = (measured.tokens_in + measured.tokens_out) * served.usd_per_million_tokens / 1e6
    return f"{usd:.6f} USD at the price of the file. Answered by {_pods(tools, settings, served)}"


def _usd(measured: Measured, model: CloudModelSettings) -> str:
    of_prompt = measured.tokens_in * model.usd_per_million_input_tokens
    of_answer = measured.tokens_out * model.usd_per_million_output_tokens
    return f"{(of_prompt + of_answer) / 1e6:.6f} USD at the price of the file"


def _place(model: CloudModelSettings) -> str:
    return f"answered by {model.name} at {model.host}, processed in {model.processed_in}"


def _pods(tools: Tools, settings: Settings, model: ModelSettings) -> str:
    """Name the pod that answered; of several that were ready, one did, and nothing on the way says which."""
    engine = next(each for each in engines(settings.models, settings.cluster) if model in each.models)
    ready = [pod.name for pod in Engines(tools.kubectl_of(settings.name)).pods([engine]) if pod.ready]
    if not ready:
        return f"{engine.name}, whose pod is gone by now"
    return ready[0] if len(ready) == 1 else f"one of {', '.join(ready)}"


app = typer.Typer(add_completion=False, rich_markup_mode="rich")
app.command("ask")(ask)
