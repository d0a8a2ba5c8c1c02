"""Whether Kubernetes would take objects as they are: by its own API schemas, and by the definitions of custom kinds.

The schemas are those of the package kubernetes-validate. A key that Kubernetes does not know is a problem, too, since
the API server drops it silently, and with it whatever somebody meant to set.
"""

import copy
import subprocess
import warnings
from collections.abc import Iterable, Iterator
from typing import Any

import jsonschema
import kubernetes_validate
from ruamel.yaml import YAML
from ruamel.yaml.error import ReusedAnchorWarning

Object = dict[str, Any]


class ApiSchemas:
    """The API of Kubernetes in a minor version, with the kinds that `definitions` (CustomResourceDefinitions) add."""

    def __init__(self, version: str, definitions: Iterable[Object] = ()) -> None:
        self._version = ".".join(version.split(".")[:2])
        self._custom = {kind: schema for definition in definitions for kind, schema in _served(definition)}

    def problems(self, item: Object) -> list[str]:
        """Return what is wrong with an object; a kind that is not known is wrong, too."""
        name = f"{item['kind']} {item['metadata']['name']}"
        custom = self._custom.get((item["apiVersion"], item["kind"]))
        if custom is not None:
            validator = jsonschema.Draft202012Validator(custom)
            return [f"{name}: {error.json_path}: {error.message}" for error in validator.iter_errors(item)]
        try:
            kubernetes_validate.validate(item, self._version, strict=True)
        except kubernetes_validate.SchemaNotFoundError:
            return [f"{name}: {item['apiVersion']} has no such kind in Kubernetes {self._version}"]
        except kubernetes_validate.ValidationError as error:
            return [f"{name}: {error.json_path}: {error.message}"]
        return []

    def knows(self, item: Object) -> bool:
        """Whether the kind of the object is one of Kubernetes itself or of the definitions."""
        # Groups of Kubernetes itself have no dot, or end so.
        group = item["apiVersion"].rpartition("/")[0]
        return "." not in group or group.endswith(".k8s.io") or (item["apiVersion"], item["kind"]) in self._custom


def definitions_in(objects: Iterable[Object]) -> list[Object]:
    """Return the definitions of custom kinds among rendered objects."""
    return [item for item in objects if item["kind"] == "CustomResourceDefinition"]


def definitions_of(helm: str, chart: str, version: str, *switches: str) -> list[Object]:
    """Return the definitions that a chart brings to Kubernetes `version`, once `switches` (`key=value`) are set."""
    command = [helm, "template", "any", chart, "--include-crds", "--kube-version", version]
    command += [word for switch in switches for word in ("--set", switch)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    with warnings.catch_warnings():
        # Generated definitions use the same anchor in several places.
        warnings.simplefilter("ignore", ReusedAnchorWarning)
        return definitions_in(document for document in YAML(typ="safe").load_all(result.stdout) if document)


def _served(definition: Object) -> Iterator[tuple[tuple[str, str], Object]]:
    spec = definition["spec"]
    for version in spec["versions"]:
        if version["served"]:
            schema = copy.deepcopy(version["schema"]["openAPIV3Schema"])
            _refuse_unknown(schema)
            # Every kind has them, whatever its definition says.
            schema["properties"] |= {"apiVersion": {}, "kind": {}, "metadata": {}}
            yield (f"{spec['group']}/{version['name']}", spec["names"]["kind"]), schema


def _refuse_unknown(schema: Any) -> None:
    """Make keys an error that the API server would drop.

    https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#field-pruning
    """
    if isinstance(schema, list):
        for part in schema:
            _refuse_unknown(part)
    if not isinstance(schema, dict):
        return
    open_ended = schema.get("x-kubernetes-preserve-unknown-fields") or schema.get("x-kubernetes-embedded-resource")
    if isinstance(schema.get("properties"), dict) and not open_ended:
        schema.setdefault("additionalProperties", False)
    for key, part in schema.items():
        if key == "properties":
            for known in part.values():
                _refuse_unknown(known)
        # Branches of these repeat what the schema around them describes in full.
        elif key not in ("anyOf", "oneOf", "allOf", "not", "default", "enum", "example"):
            _refuse_unknown(part)
