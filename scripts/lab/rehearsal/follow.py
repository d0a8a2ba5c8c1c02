"""Follows what cdktf prints, to show how far each stack has come."""

import re
from collections.abc import Collection

from scripts.core.progress import Board
from scripts.terraform.errors.diagnose import errors
from scripts.terraform.waits import Waits

_ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_NAMED = re.compile(r"(?P<stack>[a-z]+)  (?P<text>.*)")
_FINISHED = re.compile(r"Apply complete! Resources: (?P<counts>.*)\.$")
_DONE = re.compile(r": (?:Creation|Modifications|Destruction) complete after ")
_PLANNED = re.compile(r"Plan: (?P<add>\d+) to add, (?P<change>\d+) to change, (?P<destroy>\d+) to destroy")


def first_error(output: str) -> str:
    """Return the first error in cdktf's output: Terraform's whole message, or cdktf's own last line."""
    lines = [_ANSI.sub("", line).strip() for line in output.splitlines()]
    found = errors("\n".join(lines))
    return found[0] if found else next((line for line in reversed(lines) if line), "no output")


class Follower:
    """Reads cdktf's output line by line and keeps a board up to date.

    cdktf names a stack on the first line of what its Terraform prints and indents the lines that follow.
    """

    def __init__(self, board: Board, stacks: Collection[str]) -> None:
        self._board = board
        self._stacks = stacks
        self._current: str | None = None
        self._done = dict.fromkeys(stacks, 0)
        self._total = dict.fromkeys(stacks, 0)
        self._applying: set[str] = set()
        self._waits = {stack: Waits() for stack in stacks}

    def line(self, raw: str) -> None:
        """Take the next line."""
        text = _ANSI.sub("", raw)
        named = _NAMED.match(text)
        if named and named["stack"] in self._stacks:
            self._current = named["stack"]
            text = named["text"]
        elif not text.startswith(" "):
            return
        if self._current is not None:
            self._take(self._current, text.strip())

    def _take(self, stack: str, text: str) -> None:
        waits = self._waits[stack]
        waits.line(text)
        for line in waits.news():
            self._board.note(stack, f"applying {self._done[stack]}/{self._total[stack]}  {line}")
        if text.startswith("Initializing the backend"):
            self._board.phase(stack, "initializing")
        elif planned := _PLANNED.match(text):
            self._total[stack] = sum(map(int, planned.groups()))
        elif finished := _FINISHED.match(text):
            self._board.end(stack, finished["counts"])
        elif text.startswith("Error: "):
            self._board.end(stack, text, "failed")
        elif re.search(r": (Creating|Modifying|Destroying)\.\.\.", text) and stack not in self._applying:
            self._applying.add(stack)
            self._board.phase(stack, "applying")
        elif _DONE.search(text):
            self._done[stack] += 1
            self._board.detail(stack, f"applying {self._done[stack]}/{self._total[stack]}  {waits.longest}".rstrip())
