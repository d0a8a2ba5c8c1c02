"""`llmctl models ask` and `warm`: one question to a model, from the command line."""

from typing import Annotated

import typer

from scripts.applications.chat.question import ask as send
from scripts.cli.options import Environment
from scripts.cli.tools import tools_of
from scripts.core.console import err
from scripts.core.errors import ExitCode, OperatorError
from scripts.core.targets import default_environment

Name = Annotated[str, typer.Argument(metavar="MODEL", help="The model's name in the environment file.")]


def ask(
    context: typer.Context,
    model: Name,
    question: Annotated[str, typer.Argument(metavar="QUESTION", help="What to ask, in quotes.")],
    environment: Environment = None,
    *,
    most_tokens: Annotated[int, typer.Option("--max-tokens", min=1, max=32768, help="Longest answer.")] = 1024,
) -> None:
    """Ask a model one question and print its answer, and nothing else. Starts the model where it is at zero.

    The question goes out from a pod of the chat, with the chat's key, through LLM gateway and engine.

    Examples: `llmctl models ask phi3.5 "What is a span?" dev`, `llmctl models ask gpt-oss "Hello" prod --max-tokens 50`
    """
    if not question.strip():
        raise OperatorError("QUESTION is empty", "write what to ask, in quotes", ExitCode.USAGE)
    typer.echo(_answer(context, model, question, environment, most_tokens))


def warm(context: typer.Context, model: Name, environment: Environment = None) -> None:
    """Start a model before people ask it; it stays until its idle time is over. Returns when it has answered.

    Examples: `llmctl models warm gpt-oss prod`, `llmctl models warm phi3.5`
    """
    _answer(context, model, "Say yes.", environment, 16)
    err.print(f"{model} answers. It scales to zero again after its idle time without a question.", markup=False)


def _answer(context: typer.Context, model: str, question: str, environment: str | None, most_tokens: int) -> str:
    tools, name = tools_of(context), environment or default_environment()
    settings = tools.load(name)
    names = [each.name for each in settings.models]
    if model not in names:
        raise OperatorError(f"{name} has no model {model}", f"it has {', '.join(names) or 'none'}", ExitCode.USAGE)
    if not settings.chat.enabled:
        raise OperatorError(f"{name} has no chat, whose pod asks", "call the API with a key", ExitCode.REFUSED)
    with err.status(f"Asking {model}; a GPU that has to start takes minutes"):
        answer = send(tools.kubectl_of(name), settings.serving, model, question, most_tokens=most_tokens)
    if answer.text is None:
        raise OperatorError(answer.problem, f"llmctl health {name} --model {model}")
    return answer.text
