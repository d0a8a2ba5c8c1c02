"""Programs in pods: what they read, what they answer, and that they end when what they read does."""

import sys
from collections.abc import Iterator

import pytest

from scripts.cluster.kubectl import KubectlError
from scripts.cluster.pod_program import START, ByCommand
from scripts.core.errors import ExitCode, OperatorError

COUNT = """
import json, sys
size = 0
while part := sys.stdin.buffer.read(65536):
    size += len(part)
    print(json.dumps({"read": size}), flush=True)
print(json.dumps({"all": size, "given": PARAMETERS["name"]}))
"""
RUN = ByCommand([sys.executable, "-I", "-c", START], "a pod")


def test_parameters_and_more_data_than_a_pipe_holds_arrive() -> None:
    answers = list(RUN(COUNT, {"name": "x"}, (b"a" * 1000 for _ in range(3000))))
    assert answers[-1] == {"all": 3_000_000, "given": "x"}


def test_a_program_without_data_reads_its_end_at_once() -> None:
    assert list(RUN(COUNT, {"name": "y"})) == [{"all": 0, "given": "y"}]


def test_what_fails_on_the_way_is_raised_and_the_program_ended() -> None:
    def data() -> Iterator[bytes]:
        yield b"a"
        raise OperatorError("the source is gone")

    with pytest.raises(OperatorError, match="the source is gone"):
        list(RUN(COUNT, {"name": "x"}, data()))


def test_a_program_that_ends_before_its_data_says_why() -> None:
    with pytest.raises(OperatorError, match="a pod ended with 1: no space"):
        list(RUN("import sys; sys.exit('no space')", {}, (b"a" * 100_000 for _ in range(100))))


def test_a_cluster_that_cannot_be_reached_is_said_as_by_every_other_command() -> None:
    with pytest.raises(KubectlError, match="kubectl exec failed: Unable to connect to the server: dial tcp") as failed:
        list(RUN("import sys; sys.exit('Unable to connect to the server: dial tcp: no such host')", {}))
    assert failed.value.code is ExitCode.NOT_READY
