"""jsii's Node process, talked to without the detours and the waiting of the published client.

The protocol is jsii's own, one JSON object a line, answered in order. What differs is who waits for what:

- nobody waits for Node while it starts and loads packages. With each resource module that Python imports, Node loads
  its twin, so that neither has to when the first object is created;
- nobody waits for an object to be created, unless Python has given Node objects to call. Node numbers its objects in
  order, so the name of the next one is known, and compared with the answer before anything else is read from Node;
- everyday messages are written and read without the client's general converters.
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

import attr
from jsii import _reference_map, _stack_trace
from jsii._kernel import types
from jsii._kernel.providers import process
from jsii._runtime import kernel
from jsii.errors import ErrorType, JavaScriptError, JSIIError

from . import node_program

AFTER_REFUSAL = "nothing more can be asked of an application in which an object was refused"
LATE_ERROR = "raised late: with JSII_HOST_STACK_TRACES=1 the traceback ends where the object is created"
"""That variable is jsii's own: each message takes Python's stack along, so every one is waited for."""

_EVERYDAY: dict[type, tuple[str, tuple[str, ...]]] = {
    types.LoadRequest: ("load", ("name", "version", "tarball")),
    types.CreateRequest: ("create", ("fqn", "args", "interfaces")),
    types.GetRequest: ("get", ("objref", "property")),
    types.StaticGetRequest: ("sget", ("fqn", "property")),
    types.InvokeRequest: ("invoke", ("objref", "method", "args")),
    types.StaticInvokeRequest: ("sinvoke", ("fqn", "method", "args")),
}
"""Name and fields of the requests that are written here; all others take the published way."""


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
        self._refusal: BaseException | None = None

    def start(self) -> None:
        """Talk to the program that was started."""
        self._process: Any = node_program.started()
        atexit.register(self.stop)
        self.handshake()

    def stop(self) -> None:
        """Let Node leave, and wait until it has. What was refused and nobody asked about is told on stderr."""
        atexit.unregister(self.stop)
        try:
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
        kind = type(request)
        creates = kind is types.CreateRequest
        if self._refusal is not None:
            self._go_on_after_refusal(request)
        if creates and request.overrides:
            # From now on Node may call Python while it makes an object, and objects may be made in between.
            self._predicts = False
        if kind not in _EVERYDAY or (creates and request.overrides) or _stack_trace.is_enabled():
            self.settle()
            return super().send(request, response_type)
        if kind is types.LoadRequest:
            self._post(request, self._answer)
            return types.LoadResponse(assembly=request.name, types=0)
        if creates and self._predicts and self._next_number is not None:
            name = f"{request.fqn}@{self._next_number}"
            self._post(request, partial(self._compare, name))
            self._next_number += 1
            self._predicted.append(name)
            return types.CreateResponse(name)
        self.settle()
        self._write(request)
        answer = self._answer()
        if isinstance(answer, types.Callback):
            return answer
        return response_type(answer.ref) if creates else response_type(**answer)

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
        except BaseException as error:
            # Node has given no number to what it did not make, so whatever follows has other names than were used.
            self._refusal = error
            self._next_number = None
            for name in self._predicted:
                _reference_map._refs._refs.pop(name, None)
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
        api, fields = _EVERYDAY[type(request)]
        message = {field: getattr(request, field) for field in fields}
        if "objref" in message:
            message["objref"] = process._unstructure_ref(message["objref"])  # type: ignore[no-untyped-call]
        text = json.dumps(message | {"api": api}, default=process.jdefault)
        with _told_when_lost():
            self._process.stdin.write(text.encode() + b"\n")
            self._process.stdin.flush()

    def _answer(self, note: str = "") -> Any:
        answer = self._next_message()
        if "ok" in answer:
            return answer["ok"]
        if "callback" in answer:
            return self._serializer.structure(answer["callback"], types.Callback)
        kind = JSIIError if answer.get("name") == ErrorType.JSII_FAULT.value else RuntimeError
        cause = JavaScriptError(answer.get("stack", ""))  # type: ignore[no-untyped-call]
        if note:
            cause.add_note(note)
        raise kind(answer["error"]) from cause

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
    optional = {"overrides"}
    if all(
        {field.name for field in attr.fields(kind)} - optional == set(names) for kind, (_, names) in _EVERYDAY.items()
    ):
        process._NodeProcess = NodeProcess  # type: ignore[misc]
    else:
        program.stop()
