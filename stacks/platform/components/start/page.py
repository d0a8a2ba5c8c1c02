"""The files of the start page, made of the same descriptions and settings as everything else.

The style sheet is Pico CSS (MIT), one file of the npm package that `package.json` pins; nothing is built.
"""

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from stacks.platform.components.enabled import EnabledComponents
from stacks.platform.components.llm_gateway.address import HOST as API
from stacks.platform.components.llm_gateway.address import enabled as has_gateway
from stacks.settings.chat import ChatSettings
from stacks.settings.cloud_models import CloudModelSettings
from stacks.settings.model_catalogue.parsers import calls_tools
from stacks.settings.models import ModelSettings

from .examples import examples, trust_examples
from .installers import installer_files
from .names import HOST
from .routes import CA_FILE, HEALTH

SITE = Path(__file__).parent / "site"
STYLE_SHEET = Path(__file__).parents[4] / "node_modules" / "@picocss" / "pico" / "css" / "pico.classless.min.css"


def files(components: EnabledComponents) -> dict[str, str]:
    """Return the page's files by name. Raises FileNotFoundError where the style sheet is not installed."""
    texts = {name: (SITE / name).read_text("utf-8") for name in ("start.css", "start.js")}
    installers = installer_files(components) if components.settings.has_internal_ca else {}
    return {
        "index.html": page(components),
        "health.txt": "answers\n",
        "pico.css": _style_sheet(),
        **texts,
        **installers,
    }


def _style_sheet() -> str:
    try:
        return STYLE_SHEET.read_text("utf-8")
    except FileNotFoundError as error:
        raise FileNotFoundError(f"{STYLE_SHEET} is missing; `./scripts/llmctl setup` installs it") from error


def page(components: EnabledComponents) -> str:
    """Return the page itself."""
    settings = components.settings
    environment = Environment(
        loader=FileSystemLoader(SITE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template("index.html.j2").render(
        environment=settings.name,
        domain=settings.domain,
        services=_services(components),
        models=[*models(settings.models, settings.chat), *outside(settings.cloud_models)],
        examples=examples(components),
        api=API.url(settings.domain).partition(" ")[0] if has_gateway(settings.gateway) else "",
        personal_keys=settings.chat.personal_keys and "chat" in components,
        chat=f"https://chat.{settings.domain}",
        private=settings.is_private,
        authority=CA_FILE if settings.has_internal_ca else "",
        trust=trust_examples(components) if settings.has_internal_ca else [],
    )


def _services(components: EnabledComponents) -> list[dict[str, str]]:
    """Every host but the page's own, with its component's words."""
    domain = components.settings.domain
    asked = {health.host.label for health in components.health()}
    return [
        {
            "title": host.title[0].upper() + host.title[1:],
            "summary": component.summary,
            "name": host.name(domain),
            "url": f"https://{host.name(domain)}{host.path.partition(' ')[0]}",
            "page": "" if host.path else "yes",
            "health": f"{HEALTH}{host.label}" if host.label in asked else "",
        }
        for component in components
        for host in component.hosts
        if host != HOST
    ]


def models(listed: tuple[ModelSettings, ...], chat: ChatSettings) -> list[dict[str, Any]]:
    """What each model can do, under every name that it answers to."""
    return [
        {
            "name": name,
            "kind": "embeddings" if model.name == chat.embeddings.model else "chat",
            "context": f"{model.context_tokens:,}",
            "tools": calls_tools(model),
            "price": f"{model.usd_per_million_tokens:g}",
            "note": _note(model, name),
            "asleep": model.min_replicas == 0,
        }
        for model in listed
        for name in model.served_names
    ]


def outside(listed: tuple[CloudModelSettings, ...]) -> list[dict[str, Any]]:
    """Models outside the network that everybody may use in the chat; not those of programs alone."""
    return [
        {
            "name": model.name,
            "kind": "chat",
            "context": f"{model.context_tokens:,}",
            "tools": model.tools,
            "price": f"{model.usd_per_million_input_tokens:g} in, {model.usd_per_million_output_tokens:g} out",
            "note": f"outside the network, processed in {model.processed_in}",
            "asleep": False,
        }
        for model in listed
        if model.chat
    ]


def _note(model: ModelSettings, name: str) -> str:
    of = f"adapter of {model.name}" if name != model.name else ""
    instead = f"where it fails, {model.fallback} outside the network answers who may use it" if model.fallback else ""
    return "; ".join(filter(None, (of, instead)))
