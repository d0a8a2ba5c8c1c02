"""Asks Prometheus, in the cluster or Azure's, for the newest value of an expression.

Interface: https://prometheus.io/docs/prometheus/latest/querying/api; Azure Monitor answers the same.
"""

import json
from dataclasses import dataclass
from urllib.parse import urlencode

from scripts.core import http as web
from scripts.core.errors import OperatorError

TIMEOUT_S = 10.0


@dataclass(frozen=True)
class Prometheus:
    """One Prometheus at an address; `token` is for Azure's."""

    base: str
    token: str = ""

    def by(self, label: str, expression: str) -> dict[str, float]:
        """Return values by one label, what has no such label under an empty name. Raises OperatorError."""
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        url = f"{self.base}/api/v1/query?{urlencode({'query': expression})}"
        try:
            answer = web.get(url, headers=headers, timeout_s=TIMEOUT_S)
        except web.NoAnswerError as error:
            raise OperatorError(f"Prometheus gives no answer: {error}") from None
        try:
            found = json.loads(answer.body)
            if found["status"] != "success":
                raise OperatorError(f"Prometheus answers {answer.status}: {str(found.get('error'))[:200]}")
            return {item["metric"].get(label, ""): float(item["value"][1]) for item in found["data"]["result"]}
        except (ValueError, KeyError, TypeError, IndexError):
            raise OperatorError(f"Prometheus answers {answer.status} with something else than values") from None
