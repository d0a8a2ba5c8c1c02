"""Starts LiteLLM's proxy as its own command does, with two differences.

The database is not compared with the schema: the Job before the release has migrated, and Prisma's command line takes
seconds of processor in every pod only to print what differs (litellm/proxy/proxy_cli.py, 1.101). And SIGTERM ends the
process by Python's own way out, after the last answer, so that what is collected by then is sent.
"""

import signal
import sys
from types import FrameType

from litellm.proxy.db import check_migration
from litellm.proxy.proxy_cli import run_server


def _leave(number: int, frame: FrameType | None) -> None:
    """Take the place of the default, which ends the process on the spot when uvicorn hands the signal on."""
    del number, frame
    sys.exit(0)


def _no_comparison(db_url: str | None = None) -> None:
    del db_url


def main() -> None:
    """Run the proxy with the arguments of this process."""
    signal.signal(signal.SIGTERM, _leave)
    check_migration.check_prisma_schema_diff = _no_comparison
    run_server()


if __name__ == "__main__":
    main()
