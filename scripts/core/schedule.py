"""Work on stacks in dependency order, in parallel where the order allows."""

from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from enum import StrEnum

PARALLELISM = 4
"""Stacks worked on at once: each runs its own Terraform with its own providers, some 300 MB for azurerm."""


class Outcome(StrEnum):
    """How the work on one stack ended."""

    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"
    """Not started, because something that it depends on did not end well."""


def run_in_order(
    dependencies: Mapping[str, frozenset[str]],
    work: Callable[[str], bool],
    on_skip: Callable[[str], None] = lambda _name: None,
    *,
    parallelism: int = PARALLELISM,
) -> dict[str, Outcome]:
    """Call `work` for every name, each after all it depends on, and return how each ended.

    Dependencies that are not among the names count as met. `work` returns whether it went well; where not, what
    depends on it is skipped and everything else goes on. Raises ValueError for a cycle, and what `work` raises once
    all that was running has ended.
    """
    needs = {name: needed & dependencies.keys() for name, needed in dependencies.items()}
    outcomes: dict[str, Outcome] = {}
    running: dict[Future[bool], str] = {}
    with ThreadPoolExecutor(max_workers=parallelism) as pool:
        while len(outcomes) < len(needs):
            waiting = [name for name in needs if name not in outcomes and name not in running.values()]
            skipped = [
                name
                for name in waiting
                if any(outcomes.get(need, Outcome.DONE) != Outcome.DONE for need in needs[name])
            ]
            for name in skipped:
                outcomes[name] = Outcome.SKIPPED
                on_skip(name)
            if skipped:
                continue
            ready = [name for name in waiting if all(need in outcomes for need in needs[name])]
            running |= {pool.submit(work, name): name for name in ready}
            if not running:
                raise ValueError(f"stacks depend on each other in a circle: {', '.join(sorted(waiting))}")
            finished, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in finished:
                outcomes[running.pop(future)] = Outcome.DONE if future.result() else Outcome.FAILED
    return outcomes


def reversed_order(dependencies: Mapping[str, frozenset[str]]) -> dict[str, frozenset[str]]:
    """Return the order of destruction: each after all that depend on it."""
    return {name: frozenset(other for other, needed in dependencies.items() if name in needed) for name in dependencies}
