"""Expected errors of the command line, and its exit codes."""

from enum import IntEnum


class ExitCode(IntEnum):
    """What a command's exit status says."""

    OK = 0
    FAILED = 1
    """The operation began and failed; it is safe to run the command again."""
    CHANGES = 2
    """With `--detailed-exitcode` only, as Terraform's: changes are pending."""
    REFUSED = 3
    """Nothing was done: a confirmation is missing, or the change would destroy what nobody agreed to lose."""
    SETTINGS = 4
    """The environment file is missing or breaks a rule."""
    NOT_READY = 5
    """This machine lacks something: a tool, a login, the network, another process holds the environment."""
    USAGE = 64
    """The command line itself is wrong (EX_USAGE of sysexits.h)."""
    INTERRUPTED = 130
    """Stopped by Ctrl-C or SIGTERM."""


EXIT_CODES = {
    ExitCode.OK: "done",
    ExitCode.FAILED: "the operation failed; running it again is safe",
    ExitCode.CHANGES: "changes are pending (--detailed-exitcode)",
    ExitCode.REFUSED: "refused: a confirmation is missing",
    ExitCode.SETTINGS: "the environment file is wrong",
    ExitCode.NOT_READY: "this machine lacks a tool, a login or the network",
    ExitCode.USAGE: "wrong command line",
    ExitCode.INTERRUPTED: "interrupted",
}


class OperatorError(Exception):
    """Something the operator can put right: shown as one message with its fix, without a traceback."""

    def __init__(self, message: str, fix: str = "", code: ExitCode = ExitCode.FAILED) -> None:
        super().__init__(message)
        self.message = message
        self.fix = fix
        self.code = code
