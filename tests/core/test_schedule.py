"""The stacks as the command line sees them, and the order it works in."""

import json
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.core.schedule import Outcome, reversed_order, run_in_order
from scripts.core.tiers import DISPOSABLE, DURABLE, STACKS
from scripts.core.workspace import Workspace
from tests.support.cli.terraform_projects import write_project
from tests.support.patience import PATIENCE_S
from tests.support.stacks.synthesis import Synthesized

Graph = dict[str, frozenset[str]]

NAMES = st.sampled_from("012345678")


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """Any graph without circles: a stack depends only on smaller ones, some of which are not chosen."""
    names = draw(st.sets(NAMES, max_size=7))
    return {name: frozenset(draw(st.sets(NAMES)) & {str(n) for n in range(int(name))}) for name in names}


def test_the_static_order_is_that_of_the_application(environment: Callable[[str], Synthesized]) -> None:
    application = environment("dev").dependencies
    assert set(application) == set(STACKS)
    assert all(not application[name] for name in DURABLE)
    assert {name: application[name] for name in DISPOSABLE} == {
        "network": set(),
        "aks": {"network"},
        "platform": {"aks"},
    }


def test_a_stack_comes_after_those_it_reads_as_well_as_after_those_recorded(tmp_path: Path) -> None:
    stacks = write_project(tmp_path).stacks()
    assert stacks["aks"].dependencies == {"network", "identity"}
    assert stacks["disks"].dependencies == set()
    assert stacks["network"].read_states[0].resolve() == tmp_path / "state" / "dev" / "disks.tfstate"


@pytest.mark.parametrize("name", ["dev", "prod"])
def test_the_readers_of_the_application_are_understood(
    name: str, environment: Callable[[str], Synthesized], tmp_path: Path
) -> None:
    synthesized = environment(name)
    workspace = Workspace(name, tmp_path)
    manifest = {}
    for stack, content in synthesized.stacks.items():
        path = workspace.output / "stacks" / stack / "cdk.tf.json"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(content))
        manifest[stack] = {
            "synthesizedStackPath": f"stacks/{stack}/cdk.tf.json",
            "workingDirectory": f"stacks/{stack}",
            "dependencies": list(synthesized.dependencies[stack]),
        }
    (workspace.output / "manifest.json").write_text(json.dumps({"stacks": manifest}))
    stacks = workspace.stacks()
    assert all(stack.dependencies <= set(STACKS) for stack in stacks.values())
    assert stacks["network"].dependencies >= {"disks", "acr", "database"}


@given(graphs())
def test_everything_runs_once_and_after_what_it_needs(graph: Graph) -> None:
    ended: list[str] = []
    lock = threading.Lock()

    def work(name: str) -> bool:
        with lock:
            assert graph[name] & graph.keys() <= set(ended)
            ended.append(name)
        return True

    assert run_in_order(graph, work) == dict.fromkeys(graph, Outcome.DONE)
    assert sorted(ended) == sorted(graph)


@given(graphs(), st.data())
def test_only_what_depends_on_a_failure_is_skipped(graph: Graph, data: st.DataObject) -> None:
    failing = data.draw(st.sets(st.sampled_from(sorted(graph)))) if graph else set()
    skipped: list[str] = []
    outcomes = run_in_order(graph, lambda name: name not in failing, skipped.append)
    for name, outcome in outcomes.items():
        blocked = any(outcomes[need] != Outcome.DONE for need in graph[name] & graph.keys())
        expected = Outcome.SKIPPED if blocked else Outcome.FAILED if name in failing else Outcome.DONE
        assert outcome == expected
    assert sorted(skipped) == sorted(name for name, outcome in outcomes.items() if outcome == Outcome.SKIPPED)


def test_independent_stacks_run_at_the_same_time() -> None:
    together = threading.Barrier(len(DURABLE), timeout=PATIENCE_S)
    outcomes = run_in_order(
        {name: frozenset() for name in DURABLE}, lambda _name: together.wait() is not None, parallelism=len(DURABLE)
    )
    assert set(outcomes.values()) == {Outcome.DONE}


def test_parallelism_bounds_what_runs_at_once() -> None:
    running, most = 0, 0
    lock = threading.Lock()

    def work(_name: str) -> bool:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        with lock:
            running -= 1
        return True

    run_in_order({str(n): frozenset() for n in range(20)}, work, parallelism=1)
    assert most == 1


def test_a_circle_is_an_error_instead_of_a_hang() -> None:
    with pytest.raises(ValueError, match=r"in a cycle.*a.*b"):
        run_in_order({"a": frozenset({"b"}), "b": frozenset({"a"})}, lambda _name: True)


def test_destruction_goes_the_other_way_round() -> None:
    order = reversed_order({"network": frozenset(), "aks": frozenset({"network"}), "platform": frozenset({"aks"})})
    assert order == {"network": frozenset({"aks"}), "aks": frozenset({"platform"}), "platform": frozenset()}
