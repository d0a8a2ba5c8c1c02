"""What no plan may give up unless somebody has named it: durable data, the cluster, pools that serve models."""

import datetime
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from scripts.core.tiers import DURABLE

from .changes import Kind, ResourceChange
from .going_back import IMAGES

_CLUSTER = "azurerm_kubernetes_cluster"


class AllowanceError(Exception):
    """The list of allowed losses is faulty; the message names file, entry and fix."""


@dataclass(frozen=True)
class Allowance:
    """A loss that somebody agrees to, in writing."""

    stack: str
    """Empty: in whichever stack."""
    address: str
    reason: str = ""
    until: datetime.date | None = None
    """Last day on which it counts; None only for what the command line names."""

    def covers(self, stack: str, address: str) -> bool:
        """Return whether it agrees to losing `address` of `stack`."""
        below = address.startswith(f"{self.address}.") and self.address == IMAGES
        return (self.address == address or below) and self.stack in ("", stack)

    def __str__(self) -> str:
        return f"{self.stack}/{self.address}" if self.stack else self.address


@dataclass(frozen=True)
class Refusal:
    """A loss that nobody has agreed to."""

    stack: str
    address: str
    kind: str
    why: str
    """What is at stake."""
    final: bool = False
    """Whether nobody can agree to it."""


def stake(stack: str, change: ResourceChange) -> str:
    """Return what is lost with this change; empty when it may be lost without asking."""
    if change.kind is Kind.BACK:
        return "; ".join(change.because)
    if change.kind.loses:
        return _stake(stack, change)
    if change.kind is Kind.CREATE and change.outside and stack in DURABLE:
        return f"it was deleted outside Terraform, and stack {stack} is durable: a new one would be empty"
    return ""


def _stake(stack: str, change: ResourceChange) -> str:
    if stack in DURABLE:
        return f"stack {stack} is durable"
    if change.type == _CLUSTER:
        return "it is the cluster, and everything runs in it"
    if change.serves_models:
        return "models run on this pool"
    return ""


def check_losses(
    changes: Mapping[str, Iterable[ResourceChange]], allowances: Iterable[Allowance]
) -> tuple[list[Refusal], list[Allowance]]:
    """Return the losses that no allowance covers, and the allowances that cover nothing in these plans."""
    allowances = list(allowances)
    refusals, used = [], set()
    for stack, resources in changes.items():
        for change in resources:
            why = stake(stack, change)
            if not why:
                continue
            covering = [allowance for allowance in allowances if allowance.covers(stack, change.address)]
            if change.final:
                covering = []
            used.update(covering)
            if not covering:
                refusals.append(Refusal(stack, change.address, change.kind.value, why, change.final))
    return refusals, [allowance for allowance in allowances if allowance not in used]


def named(text: str) -> Allowance:
    """Return what `--allow` names: `ADDRESS`, or `STACK/ADDRESS`."""
    stack, slash, address = text.partition("/")
    return Allowance(stack, address) if slash and stack.isidentifier() else Allowance("", text)


def load_allowances(path: Path, today: datetime.date) -> list[Allowance]:
    """Return the losses that a file allows today; an absent file allows none.

    The file is a list of entries with `stack`, `address`, `reason` and `until` (the last day). Raises AllowanceError
    for an entry that lacks one or is over.
    """
    if not path.exists():
        return []
    where = f"{path.parent.name}/{path.name}"
    try:
        entries = YAML(typ="safe").load(path.read_text("utf-8")) or []
    except YAMLError as error:
        raise AllowanceError(f"{where} is no YAML: {error}") from None
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise AllowanceError(f"{where} is no list of entries; write `- {{stack: …, address: …, reason: …, until: …}}`")
    return [_allowance(entry, f"{where}, entry {number}", today) for number, entry in enumerate(entries, start=1)]


def _allowance(entry: Mapping[str, Any], where: str, today: datetime.date) -> Allowance:
    keys = ("stack", "address", "reason", "until")
    if missing := [key for key in keys if not entry.get(key)]:
        raise AllowanceError(f"{where} has no {' and no '.join(missing)}; every loss needs all of {', '.join(keys)}")
    if unknown := sorted(set(entry) - set(keys)):
        raise AllowanceError(f"{where} has the unknown key {unknown[0]}; known are {', '.join(keys)}")
    until = entry["until"]
    if not isinstance(until, datetime.date):
        raise AllowanceError(f"{where}: until is {until!r}; write a day such as {today:%Y-%m-%d}")
    if until < today:
        raise AllowanceError(f"{where}: its last day was {until}; remove the entry, or set a new day")
    return Allowance(str(entry["stack"]), str(entry["address"]), str(entry["reason"]), until)
