"""Let Python go on with its imports while jsii's Node process starts and loads its packages.

Importing a jsii library starts Node and makes it load a package. As published, Python waits for both, and then Node
waits for Python's next import. Nothing uses these answers before the first object is created, so they are read then.
"""

import json
from typing import Any

from jsii._kernel.providers import process
from jsii._kernel.types import LoadRequest, LoadResponse
from jsii.errors import JSIIError


class Process(process._NodeProcess):
    """jsii's Node process, which nobody waits for while it loads packages."""

    greeted = True
    unread = 0
    """Packages that were asked for and not yet answered for."""

    def handshake(self) -> None:
        """Leave Node's greeting to be read before the first answer."""
        self.greeted = False

    def send(self, request: Any, response_type: Any) -> Any:
        """Return Node's answer to a request; to a request to load a package, at once.

        Raises:
            JSIIError: Node failed, at this request or at a package that it was asked to load before.
        """
        if isinstance(request, LoadRequest):
            self._ask(request)
            return LoadResponse(assembly=request.name, types=0)
        self._catch_up()
        return super().send(request, response_type)

    def _ask(self, request: LoadRequest) -> None:
        message = json.dumps(self._serializer.unstructure(request))
        assert self._process.stdin is not None
        self._process.stdin.write(f"{message}\n".encode())
        self._process.stdin.flush()
        self.unread += 1

    def _catch_up(self) -> None:
        if not self.greeted:
            self.greeted = True
            super().handshake()
        while self.unread:
            self.unread -= 1
            answer = self._next_message()
            if "ok" not in answer:
                raise JSIIError(answer.get("error"))


def install() -> None:
    """Make jsii start its Node process as a `Process`. Has no effect once it runs."""
    process._NodeProcess = Process  # type: ignore[misc]
