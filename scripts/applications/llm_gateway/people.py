"""Budgets of single people in the chat, whom the LLM gateway knows by the ids of their accounts.

Interface: /customer/new and /customer/update (litellm/proxy/management_endpoints/customer_endpoints.py, 1.101).
"""

from collections.abc import Mapping
from typing import Any

from stacks.platform.components.llm_gateway.release import PERSON_BUDGET, person_limits
from stacks.settings.llm_gateway import PersonLimits

from .api import GatewayApi


def of_everybody(limits: PersonLimits) -> dict[str, Any]:
    """Return what the file gives everybody, by LiteLLM's names: a budget of one's own has no period without it."""
    return {key: value for key, value in person_limits(limits).items() if value not in (None, PERSON_BUDGET)}


def set_person(api: GatewayApi, account: str, limits: Mapping[str, Any]) -> None:
    """Give somebody a budget of their own, in the place of what `gateway.person_limits` gives everybody.

    Raises OperatorError.
    """
    known = any(customer.get("user_id") == account for customer in api.call("GET", "/customer/list"))
    api.call("POST", "/customer/update" if known else "/customer/new", {"user_id": account, **limits})
