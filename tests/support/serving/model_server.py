"""Engines in the interceptor's place: an OpenAI-compatible server that refuses what Ollama and vLLM refuse."""

import json
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from typing import Any

from tests.support.patience import PATIENCE_S
from tests.support.web_servers import QuietHandler, served

WITHOUT_TOOLS = ("phi3.5", "gemma2:2b")
"""Models whose template in Ollama's library has no tools: https://ollama.com/library/phi3.5, …/gemma2."""
NO_TOOLS = "registry.ollama.ai/library/{model} does not support tools"
"""What the pinned Ollama says (tests/live/programs/gateway/test_ollama.py), with the tag."""
NO_PARSER = '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set'


@dataclass
class Asked:
    """One request that reached an engine."""

    host: str
    path: str
    headers: dict[str, str]
    body: Any


@dataclass
class ModelServer:
    """Answers every chat with `words`, one token at a time."""

    words: list[str] = field(default_factory=lambda: ["It", "works", "as", "it", "was", "deployed", "."])
    pause_s: float = 0.0
    """Time between two tokens."""
    status: int = 200
    parses_tools: bool = True
    """Whether vLLM was started with a parser for tool calls."""
    answers_as: str = ""
    """Model that a stream's parts name instead of the one that was asked, as where a fall-back answers."""
    asked: list[Asked] = field(default_factory=list)
    held: threading.Event = field(default_factory=threading.Event)
    """While it is not set, answers stop after their first token."""
    started: threading.Event = field(default_factory=threading.Event)
    """While it is not set, nothing at all is answered, as while an engine starts."""
    passed_on: dict[str, tuple[str, int]] = field(default_factory=dict)
    """Hosts of engines that really run, as the interceptor knows them, and where."""

    def refusal(self, asked: Asked) -> tuple[int, str] | None:
        """Return status and message where an engine refuses this request."""
        if self.status != 200:
            return self.status, "the engine is out of memory"
        if asked.body.get("tools"):
            model = str(asked.body["model"])
            if asked.host.startswith("ollama") and model in WITHOUT_TOOLS:
                return 400, NO_TOOLS.format(model=model if ":" in model else f"{model}:latest")
            if asked.host.startswith("vllm") and not self.parses_tools:
                return 400, NO_PARSER
        return None


class _Handler(QuietHandler):
    protocol_version = "HTTP/1.1"
    engine: ModelServer

    def do_POST(self) -> None:
        if where := self.engine.passed_on.get(self.headers.get("Host", "")):
            self._pass_on(where)
            return
        body = json.loads(self.body() or b"{}")
        headers = {name.lower(): value for name, value in self.headers.items()}
        asked = Asked(headers.get("host", ""), self.path, headers, body)
        self.engine.asked.append(asked)
        self.engine.started.wait(PATIENCE_S)
        if refused := self.engine.refusal(asked):
            status, message = refused
            self.answer_json(status, {"error": {"message": message, "type": "invalid_request_error", "code": None}})
        elif self.path.endswith("/v1/responses"):
            self.answer_json(200, _response(body["model"], self.engine.words))
        elif body.get("stream"):
            self._stream(body)
        else:
            usage = {"prompt_tokens": 12, "completion_tokens": len(self.engine.words)}
            answer = {"role": "assistant", "content": " ".join(self.engine.words)}
            self.answer_json(
                200,
                {
                    "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": body["model"],
                    "choices": [{"index": 0, "message": answer, "finish_reason": "stop"}],
                    "usage": usage | {"total_tokens": 12 + len(self.engine.words)},
                },
            )  # fmt: skip

    def do_GET(self) -> None:
        if where := self.engine.passed_on.get(self.headers.get("Host", "")):
            self._pass_on(where)
            return
        self.answer_json(200, {})

    def _pass_on(self, where: tuple[str, int]) -> None:
        """Do what the interceptor does with a request for an engine that is there."""
        data = self.body()
        connection = HTTPConnection(*where, timeout=120)
        try:
            connection.request(self.command, self.path, data, dict(self.headers))
            answer = connection.getresponse()
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.headers.get("Content-Type", ""))
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            while piece := answer.read1(65536):
                self._chunk(piece)
            self._chunk(b"")
        except ConnectionRefusedError:
            self.answer_json(502, {})
        except (OSError, HTTPException):
            # An answer that broke off, or a caller who has left: nothing says that it ended.
            self.close_connection = True
        finally:
            connection.close()

    def _stream(self, body: Any) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        model = self.engine.answers_as or body["model"]
        shape = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": model}
        for number, word in enumerate(self.engine.words):
            delta = {"role": "assistant", "content": word + " "}
            self._event({**shape, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]})
            if number == 0:
                self.engine.held.wait(120)
            time.sleep(self.engine.pause_s)
        self._event({**shape, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
        count = len(self.engine.words)
        usage = {"prompt_tokens": 12, "completion_tokens": count, "total_tokens": 12 + count}
        self._event({**shape, "choices": [], "usage": usage})
        self._chunk(b"data: [DONE]\n\n")
        self._chunk(b"")

    def _event(self, content: Any) -> None:
        self._chunk(f"data: {json.dumps(content)}\n\n".encode())

    def _chunk(self, data: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.flush()


def _response(model: str, words: Sequence[str]) -> dict[str, Any]:
    """Return an answer of OpenAI's newer API, by which LiteLLM asks an engine for Anthropic's messages.

    Form: https://platform.openai.com/docs/api-reference/responses/object
    """
    text = {"type": "output_text", "text": " ".join(words), "annotations": []}
    said = {"type": "message", "id": "msg_1", "status": "completed", "role": "assistant", "content": [text]}
    usage = {"input_tokens": 12, "output_tokens": len(words), "total_tokens": 12 + len(words)}
    given = {"id": "resp_1", "object": "response", "created_at": 1, "status": "completed", "model": model}
    return {
        **given, "output": [said], "usage": usage, "error": None, "incomplete_details": None, "instructions": None,
        "metadata": {}, "parallel_tool_calls": True, "tool_choice": "auto", "tools": [], "temperature": 1.0,
        "top_p": 1.0,
    }  # fmt: skip


@contextmanager
def serving_models(address: str, port: int) -> Iterator[ModelServer]:
    """Serve at an address of this machine."""
    engine = ModelServer()
    engine.held.set()
    engine.started.set()
    handler = type("Handler", (_Handler,), {"engine": engine})
    with served(handler, address, port):
        yield engine
