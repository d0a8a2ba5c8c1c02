"""Every block that the kubernetes provider gets says what the provider would else decide for it.

The real provider sends an absent boolean as false and an absent number as its schema's default; Kubernetes itself
would often take something else (`runAsNonRoot` of a container: the pod's).
"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from scripts.lab.rehearsal.schemas import Block, pinned
from tests.support.kubernetes.provider_zeros import ZEROS
from tests.support.stacks.synthesis import Synthesized

Environment = Callable[[str], Synthesized]
Found = tuple[str, str, dict[str, Any], Block]

ENVIRONMENTS = ("dev", "prod")
SCHEMAS = pinned()


def _blocks(synthesized: Synthesized) -> Iterator[Found]:
    """Yield address, path, body and schema of every block in every `kubernetes_*` resource."""
    for type_name, named in synthesized.stacks["platform"]["resource"].items():
        if type_name.startswith("kubernetes_"):
            schema = SCHEMAS.block("resource", type_name)
            for name, body in named.items():
                yield from _nested(f"{type_name}.{name}", type_name, body, schema)


def _nested(address: str, path: str, body: dict[str, Any], schema: Block) -> Iterator[Found]:
    yield address, path, body, schema
    for name, content in schema.get("block_types", {}).items():
        inner = body.get(name) or []
        if name != "timeouts":
            for one in inner if isinstance(inner, list) else [inner]:
                yield from _nested(address, f"{path}.{name}", one, content["block"])


def _decided(schema: Block) -> set[str]:
    """The optional booleans and numbers of a block."""
    return {
        name
        for name, attribute in schema.get("attributes", {}).items()
        if attribute.get("optional") and attribute["type"] in ("bool", "number")
    }


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_what_the_provider_sends_for_an_absent_value_is_known(environment: Environment, name: str) -> None:
    unknown = {
        f"{path}.{attribute}"
        for _, path, _, schema in _blocks(environment(name))
        for attribute in _decided(schema) - ZEROS.get(path, {}).keys()
    }
    assert unknown == set(), (
        "look at the block's expander and add what it sends to tests/support/kubernetes/provider_zeros.py"
    )


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_no_value_is_left_to_the_provider_where_it_sends_a_harmful_one(environment: Environment, name: str) -> None:
    left = [
        f"{address}: {path.rpartition('.')[2]}.{attribute} is sent as {zero.sent}: {zero.harm}"
        for address, path, body, _ in _blocks(environment(name))
        for attribute, zero in ZEROS.get(path, {}).items()
        if zero.harm and body.get(attribute) is None
    ]
    assert left == []


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_every_job_is_admitted_by_restricted_as_the_provider_sends_it(environment: Environment, name: str) -> None:
    """Every condition of the level that a Job of ours can meet, over pod and containers, as literals."""
    jobs = environment(name).resources("platform", "kubernetes_job_v1")
    assert len(jobs) >= 6
    for address, job in jobs.items():
        pod = job["spec"]["template"]["spec"]
        assert pod["security_context"]["run_as_non_root"] is True, address
        assert pod["security_context"]["seccomp_profile"]["type"] == "RuntimeDefault", address
        assert int(pod["security_context"]["run_as_user"]) > 0, address
        for container in [*pod["container"], *pod.get("init_container", [])]:
            context = container["security_context"]
            assert context["run_as_non_root"] is True, address
            assert context["allow_privilege_escalation"] is False, address
            assert context["capabilities"] == {"drop": ["ALL"]}, address
            assert not context.get("privileged"), address
        kinds = {kind for volume in pod["volume"] for kind in volume if kind != "name"}
        assert kinds <= {"secret", "config_map", "persistent_volume_claim", "empty_dir", "projected"}, address
