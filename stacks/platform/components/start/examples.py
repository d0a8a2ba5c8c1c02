"""What people copy from the start page: one text per client, which tests run as it stands there."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from stacks.platform.components.enabled import EnabledComponents
from stacks.platform.components.llm_gateway.address import enabled as has_gateway

FOLDER = Path(__file__).parent / "site" / "examples"


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One client, and what makes it use the platform."""

    file: str
    """Name in `site/examples/`, without `.j2`; its ending says what it is."""
    title: str
    first: str = ""
    """What has to be there before it."""


_GATEWAY = (
    Example(file="key.sh", title="A key, and the address of the API", first="First, in the shell that runs the others"),
    Example(file="curl.sh", title="curl"),
    Example(file="openai.py", title="OpenAI SDK, Python", first="pip install openai"),
    Example(file="openai.mjs", title="OpenAI SDK, JavaScript", first="npm install openai"),
    Example(file="continue.yaml", title="VS Code with Continue", first="In ~/.continue/config.yaml"),
    Example(file="claude-code.sh", title="Claude Code", first="Then start claude in the same shell"),
    Example(file="opencode.json", title="OpenCode", first="In opencode.json of a project"),
)
_TRACES = (
    Example(file="opik.py", title="Opik SDK", first="pip install opik openai; an operator gives you OPIK_API_KEY"),
    Example(
        file="otel.py",
        title="OpenTelemetry",
        first="pip install opentelemetry-sdk opentelemetry-exporter-otlp-proto-http; "
        "an operator gives you OTEL_EXPORTER_OTLP_HEADERS",
    ),
)

_TRUST = (
    Example(file="trust.sh", title="Linux and macOS", first="FINGERPRINT is the one that an operator gave you"),
    Example(file="trust.ps1", title="Windows", first="In a PowerShell as administrator"),
)


def examples(components: EnabledComponents) -> list[tuple[Example, str]]:
    """Return the examples with their texts, those alone whose service is there."""
    settings = components.settings
    named = [model for model in settings.models if model.name != settings.chat.embeddings.model]
    if not has_gateway(settings.gateway) or not named:
        return []
    offered = (*_GATEWAY, *_TRACES) if "opik" in components else _GATEWAY
    given = {
        "domain": settings.domain,
        "environment": settings.name,
        "model": named[0].name,
        "context": named[0].context_tokens,
    }
    return _rendered(offered, given)


def trust_examples(components: EnabledComponents) -> list[tuple[Example, str]]:
    """Return what makes a client trust the internal CA; nothing is run that the fingerprint does not vouch for."""
    return _rendered(_TRUST, {"domain": components.settings.domain})


def _rendered(offered: Iterable[Example], given: Mapping[str, object]) -> list[tuple[Example, str]]:
    # No autoescape: these are programs; the page escapes them as a whole.
    environment = Environment(  # noqa: S701
        loader=FileSystemLoader(FOLDER), undefined=StrictUndefined, keep_trailing_newline=False
    )
    return [(example, environment.get_template(f"{example.file}.j2").render(given)) for example in offered]
