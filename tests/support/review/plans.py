"""Plans of Terraform as a review reads them, and the forms in which it shows them."""

import datetime
from typing import Any

from rich.console import Console

from scripts.review.guard import Allowance
from scripts.review.markdown import markdown
from scripts.review.plan import Plan, read_plan
from scripts.review.report import Review, as_json, review
from scripts.review.text import print_review

TODAY = datetime.date(2026, 11, 21)
SECRET = "correct-horse-battery"
GPU_POOL = {"vm_size": "Standard_NC4as_T4_v3", "node_labels": {"nvidia.com/gpu.present": "true"}, "max_count": 2}


def changed(
    address: str, before: Any, after: Any, *actions: str, sensitive: Any = False, unknown: Any = None, **more: Any
) -> dict[str, Any]:
    """Return one resource as a plan's JSON has it."""
    return {
        "address": address,
        "type": address.split(".", maxsplit=1)[0],
        **{key: more.pop(key) for key in ("previous_address",) if key in more},
        "change": {
            "actions": list(actions) or ["update"],
            "before": before,
            "after": after,
            "before_sensitive": sensitive,
            "after_sensitive": sensitive,
            "after_unknown": unknown or {},
            **more,
        },
    }


def plan(*resources: dict[str, Any], **document: Any) -> Plan:
    return read_plan({"resource_changes": list(resources), **document})


def reviewed(*allowances: Allowance, **plans: Plan) -> Review:
    return review("dev", plans, {}, (), allowances)


def shown(found: Review) -> list[str]:
    """Return a review in every form that it has."""
    console = Console(width=500, record=True)
    print_review(found, console)
    return [console.export_text(), markdown(found), str(as_json(found)), repr(found)]


def differences(found: Plan) -> dict[str, tuple[str, str]]:
    return {it.path: (it.before, it.after) for change in found.resources for it in change.differences}
