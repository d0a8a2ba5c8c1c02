"""jsii's Node process, talked to without the detours and the waiting of the published client.

The protocol is jsii's own, one JSON object a line, answered in order. What differs is who waits for what:

- nobody waits for Node while it starts and loads packages. With each resource module that Python imports, Node loads
  its twin, so that neither has to when the first object is created;
- nobody waits for an object to be created, unless Python has given Node objects to call. Node numbers its objects in
  order, so the name of the next one is known, and compared with the answer before anything else is read from Node;
- nobody asks twice for the text by which cdktf stands for an attribute.
"""

import atexit
import json
import sys
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from types import ModuleType
from typing import Any

from jsii import _reference_map, _stack_trace
from jsii._kernel import types
from jsii._kernel.providers import process
from jsii._runtime import kernel
from jsii.errors import JavaScriptError, JSIIError

from . import node_messages, node_program

AFTER_REFUSAL = "nothing more can be asked of an application in which an object was refused"
LATE_ERROR = "raised late: with JSII_HOST_STACK_TRACES=1 the traceback ends where the object is created"
"""That variable is jsii's own: each message takes Python's stack along, so every one is waited for."""

_SILENT = frozenset({"addOverride"})
"""Methods that return nothing, so that nobody has to wait for them."""
_TEXT_MARK = "${TfToken["
"""Begins the text by which cdktf stands for an attribute that Terraform will know; it is as good the second time."""
_BEGIN = (("cdktf.App", None), ("cdktf.Testing", "app"))
"""Class and static method of the requests that begin an application."""


class NodeProcess(process._NodeProcess):
    """The client of the program that `node_program` started.

    Once an object was refused, others may stand in its place: nothing more is asked of that application.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.unread: deque[Callable[[], None]] = deque()
        """For each answer that nobody has read, what reads and judges it."""
        self._next_number: int | None = None
        """Number of the next object that Node will make, None until Node has named one."""
        self._predicts = True
        self._predicted: list[str] = []
        """Names of objects that were used and not yet compared."""
        self._refusal: Exception | None = None
        self._tokens: dict[str, dict[str, str]] = {}
        """Texts of attributes that were asked for, by object and property."""

    def start(self) -> None:
        """Talk to the program that was started."""
        self._process: Any = node_program.started()
        atexit.register(self.stop)
        self.handshake()

    def stop(self) -> None:
        """Let Node leave, and wait until it has. What was refused and nobody asked about is told on stderr."""
        atexit.unregister(self.stop)
        try:
            if self._process.channel.whole:
                self.settle()
        except (JSIIError, RuntimeError) as error:
            if isinstance(error.__cause__, JavaScriptError):
                print(f"refused, and nobody asked: {error}", file=sys.stderr)
        self._process.stop()

    def handshake(self) -> None:
        """Leave Node's greeting to be read before the first answer."""
        self.unread.append(super().handshake)

    def send(self, request: Any, response_type: Any) -> Any:
        """Return Node's answer to a request; to one that loads a package or makes an object, at once.

        Raises:
            JSIIError: Node failed, at this request or at one that nobody waited for.
            RuntimeError: the library refused this request, or one that nobody waited for.
        """
        if self._refusal is not None:
            self._go_on_after_refusal(request)
        if isinstance(request, types.CreateRequest) and request.overrides:
            # From now on Node may call Python while it makes an object, and objects may be made in between.
            self._predicts = False
        waits = _stack_trace.is_enabled()
        early = None if waits else self._early_answer(request)
        if early is not None:
            return early
        self.settle()
        if waits or not node_messages.is_everyday(request):
            return super().send(request, response_type)
        self._write(request)
        answer = self._answer()
        if isinstance(answer, types.Callback):
            return answer
        if isinstance(request, types.CreateRequest):
            return types.CreateResponse(answer.ref)
        self._remember(request, answer)
        return response_type(**answer)

    def _early_answer(self, request: Any) -> Any:
        match request:
            case types.LoadRequest():
                self._post(request, self._answer)
                return types.LoadResponse(assembly=request.name, types=0)
            case types.CreateRequest() if self._predicts and self._next_number is not None:
                name = f"{request.fqn}@{self._next_number}"
                self._post(request, partial(self._compare, name))
                self._next_number += 1
                self._predicted.append(name)
                return types.CreateResponse(name)
            case types.InvokeRequest() | types.SetRequest():
                self._tokens.pop(request.objref.ref, None)
                if self._predicts and getattr(request, "method", None) in _SILENT:
                    self._post(request, partial(self._answer, LATE_ERROR))
                    return types.InvokeResponse()
            case types.GetRequest():
                token = self._tokens.get(request.objref.ref, {}).get(request.property)
                return None if token is None else types.GetResponse(token)
        return None

    def _remember(self, request: Any, answer: dict[str, Any]) -> None:
        value = answer.get("value")
        if isinstance(request, types.GetRequest) and isinstance(value, str) and value.startswith(_TEXT_MARK):
            self._tokens.setdefault(request.objref.ref, {})[request.property] = value

    def load(self, fqn: str) -> None:
        """Have Node load a resource that is about to be used. One that it cannot load fails when it is used."""

        def ignore_failure() -> None:
            with suppress(JSIIError, RuntimeError):
                self._answer()

        self._post(types.StaticGetRequest(fqn=fqn, property="tfResourceType"), ignore_failure)

    def settle(self) -> None:
        """Read every answer that nobody has read. Raises as `send`, for the first request that failed."""
        try:
            while self.unread:
                self.unread.popleft()()
        except (JSIIError, RuntimeError) as error:
            # Node has given no number to what it did not make, so whatever follows has other names than were used.
            self._refusal = error
            self._next_number = None
            for name in self._predicted:
                _reference_map._refs._refs.pop(name, None)
            with suppress(JSIIError):
                while self.unread:
                    self.unread.popleft()
                    self._next_message()
            raise
        finally:
            self._predicted.clear()

    def _go_on_after_refusal(self, request: Any) -> None:
        if isinstance(request, types.LoadRequest | types.StaticGetRequest):
            return
        if (getattr(request, "fqn", None), getattr(request, "method", None)) not in _BEGIN:
            raise RuntimeError(f"{AFTER_REFUSAL}: {self._refusal}") from self._refusal
        self._refusal = None

    def _post(self, request: Any, judge: Callable[[], Any]) -> None:
        self._write(request)
        self.unread.append(judge)

    def _write(self, request: Any) -> None:
        line = node_messages.line_of(request)
        with _told_when_lost():
            self._process.stdin.write(line)
            self._process.stdin.flush()

    def _answer(self, note: str = "") -> Any:
        answer = self._next_message()
        if "ok" in answer:
            return answer["ok"]
        if "callback" in answer:
            return self._serializer.structure(answer["callback"], types.Callback)
        raise node_messages.refusal(answer, note)

    def _compare(self, name: str) -> None:
        made = self._answer(LATE_ERROR)
        if made.ref != name:
            raise JSIIError(f"Node named {name} {made.ref}: this jsii needs PLATFORM_BINDINGS=as-shipped")

    def _next_message(self) -> Any:
        with _told_when_lost():
            line = self._process.stdout.readline()
            if not line:
                raise ConnectionError
        return json.loads(line, object_hook=self._learn)

    def _learn(self, found: dict[str, Any]) -> Any:
        value = process.ohook(found)  # type: ignore[no-untyped-call]
        if isinstance(value, types.ObjRef):
            number = value.ref.rpartition("@")[2]
            if number.isdecimal():
                self._next_number = max(self._next_number or 0, int(number) + 1)
        return value


@contextmanager
def _told_when_lost() -> Iterator[None]:
    try:
        yield
    except ConnectionError as error:
        raise JSIIError("jsii's Node process has ended; what it wrote before may say why") from error


def _running() -> NodeProcess | None:
    running = getattr(kernel.provider, "_process", None)
    return running if isinstance(running, NodeProcess) else None


def settle() -> None:
    """Wait for every answer, if this process talks to Node. Raises as `NodeProcess.send`."""
    if (running := _running()) is not None:
        running.settle()


def load_twin(module: ModuleType) -> None:
    """Have Node load the resource whose module Python has imported."""
    running = _running()
    if running is None:
        return
    for member in vars(module).values():
        if isinstance(member, type) and "TF_RESOURCE_TYPE" in vars(member):
            running.load(member.__jsii_type__)  # type: ignore[attr-defined]


def install() -> None:
    """Make jsii talk to the started program by a `NodeProcess`. Has no effect without one, or once jsii talks to Node.

    A jsii whose requests have other fields talks as published, to a program that it starts itself.
    """
    program = node_program.started()
    if program is None:
        return
    if node_messages.are_as_expected():
        process._NodeProcess = NodeProcess  # type: ignore[misc]
    else:
        program.stop()
