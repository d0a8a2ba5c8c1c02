"""Objects are checked as the API server would: misspelt, dropped and unknown things are reported, others are not."""

import copy
from typing import Any

import pytest

from tests.support.kubernetes.api_schemas import ApiSchemas

DEPLOYMENT: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "some"},
    "spec": {
        "selector": {"matchLabels": {"app": "some"}},
        "template": {
            "metadata": {"labels": {"app": "some"}},
            "spec": {"containers": [{"name": "some", "image": "some:1", "resources": {"limits": {"cpu": "1"}}}]},
        },
    },
}
DEFINITION: dict[str, Any] = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "shelves.example.org"},
    "spec": {
        "group": "example.org",
        "scope": "Namespaced",
        "names": {"kind": "Shelf", "plural": "shelves"},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "schema": {
                    "openAPIV3Schema": {
                        "type": "object",
                        "properties": {
                            "spec": {
                                "type": "object",
                                "required": ["boards"],
                                "properties": {
                                    "boards": {"type": "integer"},
                                    "properties": {"type": "object", "properties": {"colour": {"type": "string"}}},
                                    "labels": {"type": "object", "additionalProperties": {"type": "string"}},
                                    "template": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
                                },
                            }
                        },
                    }
                },
            },
            {"name": "v0", "served": False, "storage": False},
        ],
    },
}
SHELF: dict[str, Any] = {
    "apiVersion": "example.org/v1",
    "kind": "Shelf",
    "metadata": {"name": "some", "labels": {"any": "thing"}},
    "spec": {
        "boards": 3,
        "properties": {"colour": "red"},
        "labels": {"any": "thing"},
        "template": {"any": {"thing": 1}},
    },
}
SCHEMAS = ApiSchemas("1.36.3", [DEFINITION])


def _with(item: dict[str, Any], path: str, value: object) -> dict[str, Any]:
    changed = copy.deepcopy(item)
    *parents, last = path.split(".")
    target: Any = changed
    for key in parents:
        target = target[int(key)] if isinstance(target, list) else target[key]
    target[last] = value
    return changed


@pytest.mark.parametrize("item", [DEPLOYMENT, SHELF], ids=lambda item: str(item["kind"]))
def test_right_objects_have_no_problem(item: dict[str, Any]) -> None:
    assert SCHEMAS.problems(item) == []
    assert SCHEMAS.knows(item)


@pytest.mark.parametrize(
    ("item", "path", "value", "told"),
    [
        (DEPLOYMENT, "spec.replica", 2, "'replica'"),
        (DEPLOYMENT, "spec.replicas", "2", "'2' is not of type"),
        (DEPLOYMENT, "spec.template.spec.containers.0.readynessProbe", {}, "'readynessProbe'"),
        (DEPLOYMENT, "spec.template.spec.containers.0.securityContext", {"privileged": "no"}, "'no' is not of type"),
        (SHELF, "spec.boards", "three", "'three' is not of type"),
        (SHELF, "spec.bords", 3, "'bords'"),
        (SHELF, "spec.properties.color", "red", "'color'"),
        (SHELF, "spec.labels.number", 1, "1 is not of type"),
    ],
)
def test_what_the_api_server_refuses_or_drops_is_told(
    item: dict[str, Any], path: str, value: object, told: str
) -> None:
    (problem,) = SCHEMAS.problems(_with(item, path, value))
    assert problem.startswith(f"{item['kind']} some: ")
    assert told in problem


@pytest.mark.parametrize("version", ["example.org/v0", "example.org/v2", "apps/v1beta1"])
def test_a_kind_that_is_not_served_is_told(version: str) -> None:
    (problem,) = SCHEMAS.problems({"apiVersion": version, "kind": "Shelf", "metadata": {"name": "some"}})
    assert f"{version} has no such kind in Kubernetes 1.36" in problem


def test_kinds_of_nobody_are_not_known() -> None:
    assert not SCHEMAS.knows({"apiVersion": "example.org/v2", "kind": "Shelf"})
    assert SCHEMAS.knows({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress"})
    assert SCHEMAS.knows({"apiVersion": "v1", "kind": "Service"})
