"""Terraform's errors: cut out of its output, with a suggested fix where one is known."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..existing import ADDRESS, WITH_ID, Attributes, recognize
from ..state.locked import named
from .advice import ADVICE

_FRAME = re.compile(r"^[╷│╵] ?", re.MULTILINE)
_HEADING = re.compile(r"^(?=(?:Error|Warning): )", re.MULTILINE)
_PLACE = re.compile(r"\n\n  (?:with \S+,?\n  )?on \S+ line \d+(?:.|\n)*?(?:\n\n|\Z)")
"""Where in the configuration an error lies, between its summary and its detail."""

REINIT = re.compile(
    r"Backend initialization required|Inconsistent dependency lock file"
    r"|Required plugins are not installed|Module not installed|there is no package for"
    r"|does not match any of the checksums recorded|Could not load plugin"
)
"""`terraform init` has to run (again) in the stack's folder."""

MISSING_STATE = re.compile(
    r"Unable to find remote state|No stored state was found"
    r"|on cdk\.tf\.json(?:.|\n)*?data\.terraform_remote_state(?:.|\n)*?does not have an attribute named"
    r"|Unsupported attribute(?:.|\n)*?data\.terraform_remote_state"
)
"""A stack reads another one that has not been deployed."""

NO_REGISTRY = re.compile(
    r"Failed to (?:query available provider packages|install provider)|could not connect to registry"
)
"""Terraform did not reach where providers come from."""

PREVENT_DESTROY = re.compile(r"Instance cannot be destroyed|prevent_destroy")


@dataclass(frozen=True)
class Diagnosis:
    """One error of Terraform."""

    text: str
    """What Terraform says, without its frame."""
    fix: str = ""
    """What to do, where it is known."""


def errors(output: str) -> list[str]:
    """Return Terraform's error messages, each once, without frames and warnings."""
    messages = _HEADING.split(_FRAME.sub("", output))[1:]
    return [_said_once(message.strip()) for message in messages if message.startswith("Error: ")]


def _said_once(message: str) -> str:
    """Return a message without a detail that only repeats its summary, as azurerm and azuread send it."""
    place = _PLACE.search(message)
    if place is None:
        return message
    summary, detail = message[: place.start()].removeprefix("Error: "), message[place.end() :]
    return message[: place.end()].rstrip() if detail.split() == summary.split() else message


def _nothing_known(_address: str) -> Mapping[str, Any]:
    return {}


def diagnose(output: str, folder: str, redeploy: str, attributes: Attributes = _nothing_known) -> list[Diagnosis]:
    """Return the errors in Terraform's output, each with its fix where one is known.

    `folder` is the stack's folder as the operator would type it, `redeploy` the command to run afterwards;
    `attributes` gives what is configured of a resource.
    """
    return [Diagnosis(text, _fix(text, folder, redeploy, attributes)) for text in errors(output)]


def existing(output: str) -> dict[str, str]:
    """Return what Terraform could not create because it exists already: address to id."""
    found = {}
    for text in errors(output):
        exists, address = WITH_ID.search(text), ADDRESS.search(text)
        if exists and address:
            found[address["address"]] = exists["id"]
    return found


def _fix(text: str, folder: str, redeploy: str, attributes: Attributes) -> str:
    if found := recognize(text, folder, attributes):
        origin = "it exists already, from an interrupted run or made by hand"
        whole = f"`llmctl state adopt {named(folder)}` takes over all that is there of the stack at once"
        return f"{origin}; take it over with\n{found.commands(folder)}\nthen {redeploy}; {whole}"
    for pattern, advice in ADVICE:
        if re.search(pattern, text):
            return advice(text, folder, redeploy)
    return ""
