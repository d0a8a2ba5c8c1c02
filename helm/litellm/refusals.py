"""Says to somebody in the chat that their own budget is spent, in words for them and without LiteLLM's ids.

LiteLLM loads `platform` from beside its configuration, where people have limits.
"""

import logging
import re
from typing import Any

from fastapi import HTTPException
from litellm.exceptions import BudgetExceededError
from litellm.integrations.custom_logger import CustomLogger

OF_A_PERSON = "end_user"
"""`entity_type` of the budget (litellm/proxy/_types.py, Litellm_EntityType, 1.101)."""


class NoIds(logging.Filter):
    """Leaves the person's id out of LiteLLM's own message about a spent budget."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Shorten the record; keep it in any case."""
        if "End User=" in (text := record.getMessage()):
            record.msg, record.args = re.sub(r"End User=\S+", "somebody", text), ()
            record.exc_info = record.exc_text = None
        return True


class ClearRefusals(CustomLogger):
    """Puts another text in the place of one that says `End User=<id>`."""

    async def async_post_call_failure_hook(
        self,
        request_data: dict[str, Any],
        original_exception: Exception,
        user_api_key_dict: Any,
        traceback_str: str | None = None,
    ) -> HTTPException | None:
        """Return what is answered instead; None leaves the answer as it is."""
        del request_data, user_api_key_dict, traceback_str
        if not isinstance(original_exception, BudgetExceededError) or original_exception.entity_type != OF_A_PERSON:
            return None
        spent, budget = original_exception.current_cost, original_exception.max_budget
        return HTTPException(
            429,
            f"Your budget for the chat is used up: {spent:.2f} of {budget:.2f} USD. It begins again by itself; whoever"
            " runs the platform can raise it.",
        )


platform = ClearRefusals()
logging.getLogger("LiteLLM Proxy").addFilter(NoIds())
