"""A Python program in a running container, by `kubectl exec`: program, parameters and data go in by standard input.

Nothing of them stands on a command line, which process lists and audit logs keep.
"""

import json
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import IO, Any, Protocol

from scripts.cluster.kubectl import Kubectl, known_failure
from scripts.core.errors import OperatorError
from stacks.platform.components.chat import names as chat
from stacks.platform.components.llm_gateway import address as llm_gateway

START = (
    "import json,sys; given=json.loads(sys.stdin.buffer.readline());"
    " exec(compile(given['program'],'program','exec'),{'__name__':'__main__','PARAMETERS':given['parameters']})"
)

PodProgram = Callable[[str, Mapping[str, Any]], Iterator[dict[str, Any]]]
"""Runs a program with its PARAMETERS and yields the JSON objects that it prints, one a line. Raises OperatorError."""


class FedProgram(Protocol):
    """A PodProgram that reads `data` from `sys.stdin.buffer`, while what it prints is yielded."""

    def __call__(
        self, program: str, parameters: Mapping[str, Any], data: Iterable[bytes] = ()
    ) -> Iterator[dict[str, Any]]:
        """Run it. Raises OperatorError, and whatever `data` raises; the program is then ended."""


def in_pod(kubectl: Kubectl, namespace: str, workload: str, container: str, python: str = "python3") -> "ByCommand":
    """Return what runs programs in one container of a workload, with the container's variables."""
    command = kubectl.command("exec", "-n", namespace, workload, "-i", "-c", container, "--", python, "-c", START)
    return ByCommand(command, f"{workload} in {namespace}")


def in_chat(kubectl: Kubectl) -> "ByCommand":
    """Return what runs programs in a pod of the chat."""
    return in_pod(kubectl, chat.NAMESPACE, f"deployment/{chat.RELEASE}", chat.RELEASE)


def in_gateway(kubectl: Kubectl) -> "ByCommand":
    """Return what runs programs in a pod of the LLM gateway."""
    return in_pod(kubectl, llm_gateway.NAMESPACE, f"deployment/{llm_gateway.SERVICE}", "proxy", "python")


@dataclass(frozen=True)
class ByCommand:
    """Runs programs by a command line that starts Python with START."""

    command: list[str]
    where: str
    """Where that is, for errors."""
    environment: Mapping[str, str] | None = None

    def __call__(
        self, program: str, parameters: Mapping[str, Any], data: Iterable[bytes] = ()
    ) -> Iterator[dict[str, Any]]:
        """Run it; see FedProgram."""
        with tempfile.TemporaryFile("w+") as errors:
            try:
                process = subprocess.Popen(  # noqa: S603
                    self.command,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=errors,
                    env=None if self.environment is None else dict(self.environment),
                )
            except FileNotFoundError:
                raise OperatorError(f"{self.command[0]} is not installed") from None
            assert process.stdin
            assert process.stdout
            start = json.dumps({"program": program, "parameters": dict(parameters)}).encode() + b"\n"
            feeder = _Feeder(process, process.stdin, start, data)
            feeder.start()
            try:
                for line in process.stdout:
                    # Libraries of the image greet on standard output.
                    if line.startswith(b"{"):
                        yield json.loads(line)
            finally:
                process.stdout.close()
                status = process.wait()
                feeder.join()
            if feeder.failure:
                raise feeder.failure
            if status:
                errors.seek(0)
                said = errors.read()
                if failure := known_failure("exec", said):
                    raise failure
                last = (said.strip() or "no message").splitlines()[-1]
                raise OperatorError(f"the program in {self.where} ended with {status}: {last[:300]}")


class _Feeder(threading.Thread):
    """Writes while the program's answers are read: neither side waits for the other with its pipe full."""

    def __init__(
        self, process: "subprocess.Popen[bytes]", pipe: IO[bytes], start: bytes, data: Iterable[bytes]
    ) -> None:
        super().__init__(daemon=True)
        self.process, self.pipe, self.first, self.data = process, pipe, start, data
        self.failure: Exception | None = None

    def run(self) -> None:
        try:
            with self.pipe:
                self.pipe.write(self.first)
                self.pipe.flush()
                for part in self.data:
                    self.pipe.write(part)
        except BrokenPipeError:
            # The program has ended, and its status says why.
            pass
        except Exception as error:  # noqa: BLE001 - raised again where the program was started
            self.failure = error
            self.process.kill()
