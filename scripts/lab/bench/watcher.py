"""Runs one command and writes what the kernel counted for it: `watcher.py DESCRIPTOR COMMAND...`.

A program of its own because Linux counts the memory of the process that starts a command as the command's, until
`exec`: only a starter that is smaller than everything measured leaves the peak alone. Standard library only.
"""

import json
import os
import sys
import time


def main() -> None:
    """Write `[exit status, wall seconds, processor seconds, peak KiB of the largest process]` to the descriptor."""
    descriptor, command = int(sys.argv[1]), sys.argv[2:]
    start = time.perf_counter()
    process = os.posix_spawnp(command[0], command, os.environ, file_actions=[(os.POSIX_SPAWN_CLOSE, descriptor)])
    _, status, usage = os.wait4(process, 0)
    wall_s = time.perf_counter() - start
    # Linux counts ru_maxrss in KiB, macOS in bytes.
    unit = 1 if os.uname().sysname == "Linux" else 1024
    with os.fdopen(descriptor, "w") as report:
        json.dump(
            [os.waitstatus_to_exitcode(status), wall_s, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / unit],
            report,
        )


if __name__ == "__main__":
    main()
