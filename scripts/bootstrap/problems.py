"""What can go wrong while the tool chain is prepared, each as one sentence with its fix."""

import re
from dataclasses import dataclass

NOT_READY = 5
"""Exit code: this machine lacks something that the command needs."""


class NotReadyError(Exception):
    """The machine is not ready; `str()` is the sentence to show, the fix included."""

    def __init__(self, message: str, fix: str) -> None:
        super().__init__(f"{message}. Fix: {fix}")
        self.message = message
        self.fix = fix


@dataclass(frozen=True)
class _Sign:
    pattern: re.Pattern[str]
    message: str
    fix: str


# Checked in order: a full disk also breaks downloads, and a proxy's refusal also looks like a missing package.
_SIGNS = (
    _Sign(
        re.compile(r"No space left on device|ENOSPC"),
        "the disk is full",
        "free about 1.5 GB and run this again; what is already installed is kept",
    ),
    _Sign(
        re.compile(r"Read-only file system|EROFS"),
        "the checkout is on a read-only file system",
        "clone the repository to a writable place, or prepare it there once with `llmctl setup`",
    ),
    _Sign(
        re.compile(r"ensurepip is not available|No module named '?(ensurepip|venv)"),
        "this Python has no `venv` module",
        "install it, for example with `apt install python3-venv`, and run this again",
    ),
    _Sign(
        re.compile(r"CERTIFICATE_VERIFY_FAILED|SELF_SIGNED_CERT|UNABLE_TO_(GET_ISSUER|VERIFY)", re.IGNORECASE),
        "the package index shows a certificate that this machine does not trust",
        "name your company's CA file in PIP_CERT and NODE_EXTRA_CA_CERTS and run this again",
    ),
    _Sign(
        re.compile(
            r"NewConnectionError|NameResolutionError|ConnectTimeoutError|ReadTimeoutError|ProxyError|Max retries"
            r"|Temporary failure in name resolution|Name or service not known|Network is unreachable"
            r"|ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ERR_SOCKET_TIMEOUT"
        ),
        "a package index cannot be reached",
        "check the network and the proxy (HTTPS_PROXY, PIP_INDEX_URL, npm_config_registry) and run this again; "
        "what is already installed is kept",
    ),
    _Sign(
        re.compile(r"THESE PACKAGES DO NOT MATCH THE HASHES|EINTEGRITY"),
        "a downloaded package is not the one that the lock file names",
        "empty the caches with `pip cache purge` and `npm cache clean --force`; if it stays, the index is not "
        "to be trusted",
    ),
)


def explain(step: str, output: str, log: str) -> NotReadyError:
    """Return why `step` failed, from what the installer printed; `log` is the file that holds all of it."""
    for sign in _SIGNS:
        if sign.pattern.search(output):
            return NotReadyError(f"{step} failed: {sign.message}", f"{sign.fix} (log: {log})")
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    last = lines[-1][:200] if lines else "no output"
    return NotReadyError(f"{step} failed: {last}", f"read {log}, then run this again")
