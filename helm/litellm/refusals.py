"""Says to somebody in the chat that a budget is spent or a rate reached, in words for them and without LiteLLM's ids.

LiteLLM loads `platform` from beside its configuration, where people have limits. Environment: PERSON_CONTACT (whom
people ask for more; empty for whoever runs the platform).
"""

import logging
import os
import re
from datetime import UTC, datetime
from typing import Any

import litellm
from fastapi import HTTPException
from litellm.exceptions import BudgetExceededError
from litellm.integrations.custom_logger import CustomLogger
from litellm.proxy import proxy_server

OF_A_PERSON, OF_A_KEY = "end_user", "key"
"""`entity_type` of the budget (litellm/proxy/_types.py, Litellm_EntityType, 1.101)."""
RATE = re.compile(r"Rate limit exceeded for end_user: \S+\. Limit type: (\w+)\. Current limit: (\d+)")
"""Beginning of LiteLLM's text (litellm/proxy/hooks/parallel_request_limiter_v3.py, 1.101)."""
WHAT = {"requests": "{} questions", "tokens": "{} tokens, questions and answers together"}

log = logging.getLogger("platform.refusals")


class NoIds(logging.Filter):
    """Leaves the person's id out of LiteLLM's own messages about a limit."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Shorten the record; keep it in any case."""
        text = record.getMessage()
        if "End User=" in text or "for end_user: " in text:
            record.msg, record.args = re.sub(r"End User=\S+|(?<=for )end_user: \S+(?=\.)", "somebody", text), ()
            record.exc_info = record.exc_text = None
        return True


class ClearRefusals(CustomLogger):
    """Puts another text in the place of one that names ids and nobody to ask."""

    async def async_post_call_failure_hook(
        self,
        request_data: dict[str, Any],
        original_exception: Exception,
        user_api_key_dict: Any,
        traceback_str: str | None = None,
    ) -> HTTPException | None:
        """Return what is answered instead; None leaves the answer as it is."""
        del request_data, traceback_str
        if isinstance(original_exception, BudgetExceededError):
            text = await _spent(original_exception, user_api_key_dict)
            return HTTPException(429, text) if text else None
        if found := RATE.match(str(getattr(original_exception, "detail", ""))):
            kind, most = found.groups()
            what = WHAT.get(kind, "{} at once").format(most)
            text = f"You have reached what one person may ask in a minute: {what}. Ask again in a minute; {_contact()}"
            return HTTPException(429, text, {"retry-after": "60"})
        return None


async def _spent(error: BudgetExceededError, key: Any) -> str | None:
    """Return the sentence about a spent budget of a person, or of the key that everybody in the chat shares."""
    sums = f"{_usd(error.current_cost)} of {_usd(error.max_budget)} USD"
    if error.entity_type == OF_A_PERSON:
        whose, until = "Your budget for the chat", await _begins_again(error.entity_id)
    elif error.entity_type == OF_A_KEY and getattr(key, "end_user_id", None):
        whose, until = "The budget that everybody in the chat shares", getattr(key, "budget_reset_at", None)
    else:
        return None
    when = f"It begins again on {_day(until)}" if until else "It begins again by itself"
    return f"{whose} is used up: {sums}. {when}; {_contact()}"


async def _begins_again(person: str | None) -> datetime | None:
    """Return when the person's own budget, else everybody's, begins again; None where the database does not say."""
    database = getattr(proxy_server.prisma_client, "db", None)
    if database is None or person is None:
        return None
    try:
        own = await database.litellm_endusertable.find_unique(
            where={"user_id": person}, include={"litellm_budget_table": True}
        )
        budget = getattr(own, "litellm_budget_table", None) or await database.litellm_budgettable.find_unique(
            where={"budget_id": str(litellm.max_end_user_budget_id)}
        )
    except Exception as error:  # noqa: BLE001 - a sentence without its date is better than none
        log.warning("no date of a budget: %s", type(error).__name__)
        return None
    found: datetime | None = getattr(budget, "budget_reset_at", None)
    return found


def _day(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d at %H:%M UTC")


def _usd(amount: float) -> str:
    return f"{amount:.2f}" if amount >= 0.01 or not amount else f"{amount:.2g}"


def _contact() -> str:
    return f"{os.environ.get('PERSON_CONTACT') or 'whoever runs the platform'} can raise it."


platform = ClearRefusals()
logging.getLogger("LiteLLM Proxy").addFilter(NoIds())
