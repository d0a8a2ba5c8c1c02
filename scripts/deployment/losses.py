"""Losses that somebody agrees to, and the refusal of those that nobody does."""

import datetime
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path

from scripts.core.errors import ExitCode, OperatorError
from scripts.core.workspace import ROOT
from scripts.review.changes import Kind
from scripts.review.going_back import IMAGES
from scripts.review.guard import Allowance, AllowanceError, Refusal, load_allowances, named

_SHOWN = 3


LOSSES = ROOT / "environments" / "losses"


def allowed_losses(
    environment: str, addresses: Iterable[str], today: datetime.date | None = None, folder: Path = LOSSES
) -> list[Allowance]:
    """Return the losses that the command line and the environment's file in `folder` agree to. Raises OperatorError."""
    path = folder / f"{environment}.yaml"
    try:
        listed = load_allowances(path, today or datetime.datetime.now(datetime.UTC).date())
    except AllowanceError as error:
        raise OperatorError(str(error), code=ExitCode.SETTINGS) from None
    return [*listed, *map(named, addresses)]


def refuse(environment: str, refusals: Iterable[Refusal]) -> None:
    """Raise OperatorError when there are any: plans give up, or take back, what nobody has agreed to."""
    found = list(refusals)
    if not found:
        return
    back = [refusal for refusal in found if refusal.kind == Kind.BACK.value]
    options = " ".join(f"--allow {address}" for address in dict.fromkeys(map(_option, found)) if address)
    newer = f"update this checkout (git pull) or environments/{environment}.yaml to what is deployed" if back else ""
    agree = (
        f"if that is meant, name it in environments/losses/{environment}.yaml, or here: {options}" if options else ""
    )
    raise OperatorError("; ".join(_sentences(found)), "; ".join(filter(None, [newer, agree])), ExitCode.REFUSED)


def _option(refusal: Refusal) -> str:
    if refusal.final:
        return ""
    return f"{refusal.stack}/{IMAGES if _is_image(refusal) else refusal.address}"


def _is_image(refusal: Refusal) -> bool:
    return refusal.kind == Kind.BACK.value and refusal.address.startswith(f"{IMAGES}.")


def _sentences(refusals: list[Refusal]) -> Iterator[str]:
    for images, group in groupby(sorted(refusals, key=_is_image), _is_image):
        found = list(group)
        if not images:
            yield from map(_sentence, found)
            continue
        names = ", ".join(refusal.address.removeprefix(f"{IMAGES}.") for refusal in found[:_SHOWN])
        more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
        yield f"{found[0].stack}: {names}{more}: {found[0].why}"


def _sentence(refusal: Refusal) -> str:
    if refusal.kind == Kind.BACK.value:
        return f"{refusal.address}: {refusal.why}"
    return f"would {_verb(refusal.kind)} {refusal.stack}/{refusal.address}, and {refusal.why}"


def _verb(kind: str) -> str:
    return {"replace": "replace", "forget": "forget"}.get(kind, "destroy")
