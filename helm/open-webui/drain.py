"""Holds a pod that has to end until the answers that it is passing on are written.

Open WebUI ends within two seconds of SIGTERM, whatever it is doing, and an answer goes with it. As the preStop command
this runs before the signal. What a pod is doing shows in its connections to the models' address: its client closes
those 15 s after their last use.

Arguments: seconds until nobody sends to this pod any more, seconds to wait at most, port of the models' address.
"""

import sys
import time
from collections.abc import Iterator
from pathlib import Path

ESTABLISHED = "01"
"""State of a connection in /proc/net/tcp (include/net/tcp_states.h of Linux)."""
PAUSE_S = 1


def connections(port: int, tables: Path = Path("/proc/net")) -> int:
    """How many connections of this pod to `port` of another are open."""
    return sum(state == ESTABLISHED and remote == port for remote, state in _entries(tables))


def _entries(tables: Path) -> Iterator[tuple[int, str]]:
    for table in ("tcp", "tcp6"):
        path = tables / table
        for line in path.read_text().splitlines()[1:] if path.is_file() else ():
            _, _, remote, state = line.split()[:4]
            yield int(remote.rpartition(":")[2], 16), state


def main() -> None:
    """Wait for the last answer, or for as long as the arguments say."""
    until_unknown, longest, port = (int(argument) for argument in sys.argv[1:])
    time.sleep(until_unknown)
    deadline = time.monotonic() + longest
    while connections(port) and time.monotonic() < deadline:
        time.sleep(PAUSE_S)


if __name__ == "__main__":
    main()
