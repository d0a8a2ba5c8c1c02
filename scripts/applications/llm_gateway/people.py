"""Budgets of single people in the chat, whom the LLM gateway knows by the ids of their accounts.

Interface: /customer/new and /customer/update (litellm/proxy/management_endpoints/customer_endpoints.py, 1.101).
"""

from collections.abc import Mapping
from typing import Any

from .api import GatewayApi


def set_person(api: GatewayApi, account: str, limits: Mapping[str, Any]) -> None:
    """Give somebody a budget of their own, in the place of what `gateway.person_limits` gives everybody.

    Raises OperatorError.
    """
    known = any(customer.get("user_id") == account for customer in api.call("GET", "/customer/list"))
    api.call("POST", "/customer/update" if known else "/customer/new", {"user_id": account, **limits})
