"""Work on stacks in dependency order, in parallel where the order allows."""

from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from enum import StrEnum
from graphlib import TopologicalSorter

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
    depends on it is skipped and everything else goes on. Raises graphlib's CycleError before any work, and what `work`
    raises once all that was running has ended.
    """
    needs = {name: needed & dependencies.keys() for name, needed in dependencies.items()}
    order = TopologicalSorter(needs)
    order.prepare()
    outcomes: dict[str, Outcome] = {}
    running: dict[Future[bool], str] = {}
    with ThreadPoolExecutor(max_workers=parallelism) as pool:
        while order.is_active():
            for name in sorted(order.get_ready(), key=list(needs).index):
                if all(outcomes[need] is Outcome.DONE for need in needs[name]):
                    running[pool.submit(work, name)] = name
                else:
                    outcomes[name] = Outcome.SKIPPED
                    on_skip(name)
                    order.done(name)
            # Without anything running this returns at once, for those that come after what was skipped.
            finished, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in finished:
                name = running.pop(future)
                outcomes[name] = Outcome.DONE if future.result() else Outcome.FAILED
                order.done(name)
    return outcomes


def reversed_order(dependencies: Mapping[str, frozenset[str]]) -> dict[str, frozenset[str]]:
    """Return the order of destruction: each after all that depend on it."""
    return {name: frozenset(other for other, needed in dependencies.items() if name in needed) for name in dependencies}
