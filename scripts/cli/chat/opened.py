"""What the commands of the chat have in common."""

from scripts.cli.tools import Tools
from scripts.core.errors import ExitCode, OperatorError
from scripts.core.targets import default_environment
from stacks.settings import Settings


def settings_of_chat(tools: Tools, environment: str | None) -> Settings:
    """Return the settings of an environment. Raises OperatorError where it has no chat."""
    name = environment or default_environment()
    settings = tools.load(name)
    if not settings.chat.enabled:
        raise OperatorError(f"{name} has no chat", f"set chat.enabled in environments/{name}.yaml", ExitCode.REFUSED)
    return settings
