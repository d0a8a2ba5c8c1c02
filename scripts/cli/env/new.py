"""Writes a new environment file from a handful of answers."""

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from scripts.core.errors import ExitCode, OperatorError
from stacks.settings.azure_catalog.regions import WITHOUT_ZONES
from stacks.settings.private_access import DEFAULT_ZONE

from .template import PRIVATE, PUBLIC, TEMPLATE


@dataclass(frozen=True)
class Answers:
    """What only the owner of the environment knows; the defaults are valid examples."""

    name: str
    subscription: str = "00000000-0000-0000-0000-000000000000"
    region: str = "westeurope"
    exposure: str = ""
    """`public` or `private`; empty for the first."""
    tailscale: str = ""
    """`yes` or `no`; empty for the second."""
    zone: str = ""
    """The private zone; empty for the default one."""
    domain: str = "llm.example.org"
    email: str = "platform@example.org"
    access_group: str = ""
    operators_group: str = ""
    opik_group: str = ""
    state: str = ""
    """`local`, `azurerm:GROUP/ACCOUNT` or `hcp:ORGANIZATION`; empty for the first."""

    @property
    def is_private(self) -> bool:
        """Whether nothing of the platform is to answer on the internet."""
        return self.exposure == "private"


LOCAL_STATE = "state/{name}/ of this checkout holds the state: keep it; nobody else and no pipeline can deploy"


_OPERATORS = """\
{mark}operators:
{mark}  object_ids: {group} # administer cluster and vault, your pipeline's identity too; empty: whoever deploys first
#   ip_ranges: [] # public ranges that may reach Kubernetes API, vault and registry; empty means any, with a login"""


def render(answers: Answers) -> str:
    """Return the environment file for `answers`."""
    zoned = answers.region not in WITHOUT_ZONES
    group = (
        f"identity:\n  access_group_object_id: {_quoted(answers.access_group)}"
        if answers.access_group
        else "# identity:\n#   access_group_object_id: … # left out, a group is made; add its members in Entra"
    )
    opik = (
        f"opik:\n  access_group_object_id: {_quoted(answers.opik_group)}"
        if answers.opik_group
        else "# opik:\n#   access_group_object_id: … # who reads all traces; left out, a group is made"
    )
    return TEMPLATE.format(
        name=_quoted(answers.name),
        subscription=_quoted(answers.subscription),
        region=_quoted(answers.region),
        zones="" if zoned else "\n  zones: [] # the region has no availability zones",
        reached=_private(answers) if answers.is_private else _public(answers),
        group=group,
        operators=_OPERATORS.format(mark="", group=f"[{_quoted(answers.operators_group)}]")
        if answers.operators_group
        else _OPERATORS.format(mark="# ", group="[]"),
        opik=opik,
        state=_state(answers),
        redundancy="zrs # attach in every zone" if zoned else "lrs # the region has no availability zones",
    )


def _public(answers: Answers) -> str:
    exposure = "" if answers.exposure in {"", "public"} else f"exposure: {_quoted(answers.exposure)}\n"
    return exposure + PUBLIC.format(domain=_quoted(answers.domain), email=_quoted(answers.email))


def _private(answers: Answers) -> str:
    tailscale = "\n  tailscale: {}" if answers.tailscale == "yes" else "\n# tailscale: {} # lets a tailnet in"
    return PRIVATE.format(zone=_quoted(answers.zone or DEFAULT_ZONE), tailscale=tailscale)


def keeps_local_state(answers: Answers) -> bool:
    """Tell whether Terraform's state lies in this checkout."""
    return answers.state in {"", "local"}


def _state(answers: Answers) -> str:
    backend, _, place = answers.state.partition(":")
    if keeps_local_state(answers):
        return (
            f"# state: # left out: {LOCAL_STATE.format(name=answers.name)}\n"
            "#   backend: azurerm # or hcp; `llmctl state migrate` moves what is deployed"
        )
    lines = ["state:", f"  backend: {_quoted(backend)}"]
    if backend == "azurerm":
        group, _, account = place.partition("/")
        lines += ["  azurerm:", f"    resource_group: {_quoted(group)}", f"    storage_account: {_quoted(account)}"]
    elif backend == "hcp":
        lines += ["  hcp:", f"    organization: {_quoted(place)}"]
    return "\n".join(lines)


def _quoted(text: str) -> str:
    """Return `text` as a YAML scalar, quoted only where it has to be."""
    plain = text.replace("-", "").replace(".", "").replace("@", "")
    if plain.isalnum() and plain.isascii() and text[0].isalpha() and text.lower() not in {"true", "false", "null"}:
        return text
    return "'" + text.replace("'", "''").replace("\n", " ").replace("\r", " ") + "'"


def write_new(folder: Path, name: str, text: str) -> Path:
    """Write `<folder>/<name>.yaml` in one step; raises OperatorError when it exists, which then stays as it is."""
    path = folder / f"{name}.yaml"
    folder.mkdir(exist_ok=True)
    descriptor, draft = tempfile.mkstemp(dir=folder, prefix=f".{name}.", suffix=".tmp")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        Path(draft).chmod(0o644)
        # A link, because it fails where a rename would replace.
        path.hardlink_to(draft)
    except FileExistsError:
        raise OperatorError(f"environments/{name}.yaml exists; it stays as it is", code=ExitCode.REFUSED) from None
    finally:
        Path(draft).unlink()
    return path
