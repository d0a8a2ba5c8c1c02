"""Asks a model from a pod of the chat, with its key, through the LLM gateway: several people at once, by streams.

Prints JSON, one object a line: with `texts` every part of the answer as it comes, and after each answer what was
measured. PARAMETERS: model, question, most_tokens, people, each (questions of everybody), patience_s, texts.
"""

import http.client
import json
import os
import threading
import time
from typing import Any
from urllib.parse import urlsplit

GIVEN: dict[str, Any] = {}
LOCK = threading.Lock()


def main(parameters: dict[str, Any]) -> None:
    """Let everybody ask at the same moment, and return when all have their answers."""
    GIVEN.update(parameters)
    together = threading.Barrier(GIVEN["people"])
    people = [threading.Thread(target=person, args=(number, together)) for number in range(GIVEN["people"])]
    for thread in people:
        thread.start()
    for thread in people:
        thread.join()


def person(number: int, together: threading.Barrier) -> None:
    """Ask one question after the other."""
    together.wait()
    for turn in range(GIVEN["each"]):
        started = time.monotonic()
        try:
            found = ask(number, turn, started)
        except (OSError, ValueError, http.client.HTTPException) as error:
            found = {"status": 0, "problem": str(error) or type(error).__name__}
        say(person=number, seconds=time.monotonic() - started, **found)


def ask(number: int, turn: int, started: float) -> dict[str, Any]:
    """Return status, time to the first token, and tokens of one answer."""
    base = urlsplit(variable("OPENAI_API_BASE_URL"))
    question = GIVEN["question"]
    if not GIVEN["texts"]:
        # Different from its beginning on: an engine must not know the prompt's cache from another one.
        question = f"{number}.{turn} {time.time_ns()}: {question}"
    body = {
        "model": GIVEN["model"],
        "messages": [{"role": "user", "content": question}],
        "max_tokens": GIVEN["most_tokens"],
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    headers = {"Content-Type": "application/json", "Authorization": "Bearer " + variable("OPENAI_API_KEY")}
    connection = http.client.HTTPConnection(base.hostname or "", base.port or 80, timeout=GIVEN["patience_s"])
    try:
        connection.request("POST", f"{base.path}/chat/completions", json.dumps(body), headers)
        answer = connection.getresponse()
        if answer.status != 200:
            return {"status": answer.status, "problem": answer.read(2000).decode("utf-8", "replace")}
        return parts(answer, started)
    finally:
        connection.close()


def parts(answer: http.client.HTTPResponse, started: float) -> dict[str, Any]:
    """Read a stream to its end; an error within it is the answer's."""
    found: dict[str, Any] = {"status": 200, "problem": "", "first_s": None, "tokens_in": 0, "tokens_out": 0}
    # Parts of a cloud model's answer may have the service's own name of it; a stream that was kept alive has no header.
    left = answer.headers.get("x-left-network")
    for line in answer:
        data = line.decode("utf-8", "replace").strip().removeprefix("data:").strip()
        if not data.startswith("{"):
            continue
        event = json.loads(data)
        found["answered_by"] = left or event.get("model") or ""
        if error := event.get("error"):
            return {"status": int(error.get("code") or 500), "problem": str(error.get("message"))}
        for choice in event.get("choices") or ():
            delta = choice.get("delta") or {}
            text = delta.get("content") or ""
            if found["first_s"] is None and (text or delta.get("reasoning_content") or delta.get("reasoning")):
                found["first_s"] = time.monotonic() - started
            if text and GIVEN["texts"]:
                say(text=text)
        if usage := event.get("usage"):
            found["tokens_in"], found["tokens_out"] = usage.get("prompt_tokens", 0), usage.get("completion_tokens", 0)
    return found


def variable(name: str) -> str:
    """Return the first of the chat's addresses or keys, which is that of the LLM gateway."""
    return (os.environ.get(name + "S") or os.environ.get(name) or "").split(";")[0]


def say(**found: Any) -> None:
    """Print one line, whole."""
    with LOCK:
        print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main(PARAMETERS)  # type: ignore[name-defined]  # noqa: F821 - given by pod_program
