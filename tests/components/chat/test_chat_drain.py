"""A pod of the chat ends once nothing comes from its models any more."""

import runpy
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from constructs.helm_release import inserting
from stacks.platform.common.catalogue import HELM
from tests.support.patience import PATIENCE_S

SCRIPT = HELM / "open-webui" / "drain.py"


@pytest.fixture(scope="module")
def drain() -> dict[str, Any]:
    return runpy.run_path(str(SCRIPT))


def test_open_connections_to_the_models_are_counted_and_no_others(drain: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "tcp").write_text(
        "  sl  local_address rem_address   st tx_queue rx_queue\n"
        "   0: 0100007F:A2F4 0A00640A:0FA0 01 00000000:00000000\n"  # to 4000, open
        "   1: 0100007F:A2F5 0A00640A:0FA0 06 00000000:00000000\n"  # to 4000, closed
        "   2: 0100007F:0FA0 0A00640A:A2F4 01 00000000:00000000\n"  # from 4000
    )
    (tmp_path / "tcp6").write_text(
        "  sl  local_address                         remote_address                        st\n"
        "   0: 00000000000000000000000000000000:A2F6 0000000000000000FFFF00000A00640A:0FA0 01\n"
    )
    assert drain["connections"](4000, tmp_path) == 2
    assert drain["connections"](8080, tmp_path) == 0


def _run(port: int, longest: int) -> "subprocess.Popen[bytes]":
    return subprocess.Popen([sys.executable, str(SCRIPT), "0", str(longest), str(port)])


@pytest.mark.skipif(not Path("/proc/net/tcp").is_file(), reason="connections are listed on Linux alone")
@pytest.mark.slow
def test_end_waits_for_the_last_answer_and_for_no_longer() -> None:
    with socket.create_server(("127.0.0.1", 0)) as models:
        port: int = models.getsockname()[1]
        assert _run(port, 2 * PATIENCE_S).wait(PATIENCE_S) == 0
        with socket.create_connection(("127.0.0.1", port)) as answer:
            ending = _run(port, 2 * PATIENCE_S)
            with pytest.raises(subprocess.TimeoutExpired):
                ending.wait(1.5)
            answer.close()
        assert ending.wait(PATIENCE_S) == 0


@pytest.mark.skipif(not Path("/proc/net/tcp").is_file(), reason="connections are listed on Linux alone")
@pytest.mark.slow
def test_end_waits_no_longer_than_it_may() -> None:
    with socket.create_server(("127.0.0.1", 0)) as models:
        port: int = models.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):
            assert _run(port, 1).wait(PATIENCE_S) == 0


def test_lines_are_inserted_behind_equal_ones_alone() -> None:
    text = "a:\n  - x.y\n  - x-y\n  - x.y z\n"
    edited = subprocess.run(
        ["sed", *inserting({"  - x.y": "    more: {a & b/c: [\\d]}"})],
        input=text,
        capture_output=True,
        text=True,
        check=True,
    )
    assert edited.stdout == "a:\n  - x.y\n    more: {a & b/c: [\\d]}\n  - x-y\n  - x.y z\n"


def test_several_lines_are_inserted_together() -> None:
    command = ["sed", *inserting({"- x": "  a: 1\n  b: {c: 2}"})]
    edited = subprocess.run(command, input="- x\n- y\n", capture_output=True, text=True, check=True)
    assert edited.stdout == "- x\n  a: 1\n  b: {c: 2}\n- y\n"


def test_lines_that_sed_would_misread_are_refused() -> None:
    with pytest.raises(ValueError, match="holds a bar, or the first a line break"):
        inserting({"a\nb": "c"})
