"""One question to a model, asked as the chat asks it."""

import json
from dataclasses import dataclass
from typing import Any

from scripts.cluster.kubectl import Kubectl
from stacks.platform.common.timeouts import path_seconds
from stacks.platform.components.chat.names import NAMESPACE
from stacks.settings.serving import ServingSettings

from .running import DEPLOYMENT

MARGIN_S = 60

_ASK = """
import json, os, sys, time, urllib.error, urllib.request
base = (os.environ.get("OPENAI_API_BASE_URLS") or os.environ.get("OPENAI_API_BASE_URL") or "").split(";")[0]
key = (os.environ.get("OPENAI_API_KEYS") or os.environ.get("OPENAI_API_KEY") or "").split(";")[0]
messages = [{"role": "user", "content": sys.argv[2]}]
asked = {"model": sys.argv[1], "max_tokens": int(sys.argv[4]), "messages": messages}
if len(sys.argv) > 5:
    asked["metadata"] = {"opik": {"tags": [sys.argv[5]]}}
body = json.dumps(asked)
headers = {"Content-Type": "application/json", "Authorization": "Bearer " + key}
request = urllib.request.Request(base + "/chat/completions", body.encode(), headers)
try:
    with urllib.request.urlopen(request, timeout=float(sys.argv[3])) as answer:
        status, said = answer.status, answer.read().decode("utf-8", "replace")
except urllib.error.HTTPError as error:
    status, said = error.code, error.read().decode("utf-8", "replace")
except OSError as error:
    status, said = 0, str(error)
print(json.dumps({"status": status, "said": said[:400000]}))
"""
"""Asks as the chat does: from its pod, with its key, which stays there."""


@dataclass(frozen=True)
class Answer:
    """What came back: the text, or what is wrong."""

    text: str | None
    problem: str = ""


def ask(
    kubectl: Kubectl, serving: ServingSettings, model: str, question: str, *, most_tokens: int, tag: str = ""
) -> Answer:
    """Send the question from the chat's pod; waits as long as a GPU may take to start. Raises OperatorError.

    Its trace gets the `tag`: it can be found by that alone, since traces of the chat hold no texts unless the
    environment says so.
    """
    patience = path_seconds(serving) + MARGIN_S
    printed = kubectl.run(
        *("exec", "-n", NAMESPACE, DEPLOYMENT, "-c", "open-webui", "--"),
        *("python3", "-c", _ASK, model, question, str(patience), str(most_tokens), *([tag] if tag else [])),
        timeout_s=patience + MARGIN_S,
    )
    try:
        answer = json.loads(printed.splitlines()[-1])
        status, said = int(answer["status"]), str(answer["said"])
    except (ValueError, KeyError, IndexError, TypeError):
        return Answer(None, "the chat's pod printed no answer")
    text = _text(said)
    if status == 200 and text is not None:
        return Answer(text)
    how = f"answers {status}" if status else "gives no answer"
    return Answer(None, f"{model} {how}: {said[:200]}")


def _text(said: str) -> str | None:
    try:
        message: Any = json.loads(said)["choices"][0]["message"]
        return str(message.get("content") or "")
    except (ValueError, KeyError, IndexError, TypeError, AttributeError):
        return None
