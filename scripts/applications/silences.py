"""Silences of Alertmanager.

Interface: https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml
"""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from scripts.core import http as web
from scripts.core.errors import OperatorError

LONGEST = timedelta(hours=2)
"""After that a silence ends by itself, whatever became of who made it."""
SEVERITIES = {"warnings": "warning", "all": ".+"}


@dataclass(frozen=True)
class Silences:
    """One Alertmanager at an address."""

    base: str

    def begin(self, severities: str, who: str, comment: str, now: datetime) -> str:
        """Silence alerts whose severity matches a regular expression, and return the silence's id."""
        form = "%Y-%m-%dT%H:%M:%S.000Z"
        silence = {
            "matchers": [{"name": "severity", "value": severities, "isRegex": True, "isEqual": True}],
            "startsAt": now.strftime(form),
            "endsAt": (now + LONGEST).strftime(form),
            "createdBy": who,
            "comment": comment,
        }
        answer = self._ask("POST", "/api/v2/silences", silence)
        try:
            return str(json.loads(answer)["silenceID"])
        except (ValueError, KeyError, TypeError):
            raise OperatorError("Alertmanager answers with something else than a silence") from None

    def end(self, silence: str) -> None:
        """End a silence now. Raises OperatorError."""
        self._ask("DELETE", f"/api/v2/silence/{silence}", None)

    def _ask(self, method: str, path: str, content: Any) -> bytes:
        try:
            answer = web.send_json(f"{self.base}{path}", content, method=method)
        except web.NoAnswerError as error:
            raise OperatorError(f"Alertmanager gives no answer: {error}") from None
        if answer.status != 200:
            raise OperatorError(f"Alertmanager answers {answer.status}: {answer.body.decode(errors='replace')[:200]}")
        return answer.body
