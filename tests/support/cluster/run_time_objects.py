"""What operators make at run time and no chart shows, made by hand as their source makes it.

They do not run here: their images are not pulled. What they create meets the same quotas, limits and levels.
"""

import base64
import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from scripts.lab.kube.api import Api, ApiError, Object

TABLE = Path(__file__).with_name("runtime_objects.yaml")
IMAGE = "example.com/made-by-a-controller:1"


def deliver(api: Api, values: dict[str, str] | None = None) -> list[Object]:
    """Make or renew the Secret of every ExternalSecret, as External Secrets does with `creationPolicy: Owner`.

    Labels, annotation and owner: external-secrets v2.9.0, pkg/controllers/externalsecret/externalsecret_controller.go
    (`mutationFunc`, `setMetadata`). `values` are texts by the vault's name of a secret.
    """
    made = []
    for external in api.list("external-secrets.io/v1", "ExternalSecret"):
        spec = external["spec"]
        data = {
            item["secretKey"]: (values or {}).get(item["remoteRef"]["key"], f"value of {item['remoteRef']['key']}")
            for item in spec["data"]
        }
        data |= {key: str(text) for key, text in spec["target"].get("template", {}).get("data", {}).items()}
        secret = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {
                "name": spec["target"]["name"],
                "namespace": external["metadata"]["namespace"],
                "labels": {"reconcile.external-secrets.io/managed": "true"},
                "ownerReferences": [_owner(external)],
            },
            "type": "Opaque",
            "data": {key: base64.b64encode(text.encode()).decode() for key, text in data.items()},
        }
        made.append(_create_or_replace(api, secret))
    return made


def make(api: Api) -> Iterator[Object]:
    """Make what controllers would make while the platform runs, each in its namespaces; yield what the API answered.

    Raises ApiError for what is not let in.
    """
    ingresses = {item["metadata"]["namespace"] for item in api.list("networking.k8s.io/v1", "Ingress")}
    spaces = {item["metadata"]["name"] for item in api.list("v1", "Namespace")}
    for made in YAML(typ="safe").load(TABLE):
        for namespace in sorted(ingresses if made["where"] == "ingresses" else {made["where"]} & spaces):
            item = copy.deepcopy(made["object"])
            item["metadata"] = {"generateName": "made-by-a-controller-"} | item["metadata"] | {"namespace": namespace}
            item["metadata"].pop("name", None)
            for container in (*item["spec"].get("initContainers", ()), *item["spec"].get("containers", ())):
                container["image"] = IMAGE
            if made.get("type_from_issuer"):
                item["spec"]["type"] = _service_type(api, namespace)
            yield {"apiVersion": item["apiVersion"], "kind": item["kind"]} | api.create(item)


def _service_type(api: Api, namespace: str) -> str:
    """Return the type of a solver's Service: the one of the Ingress's issuer, else cert-manager's own."""
    issuers = {item["metadata"]["name"]: item for item in api.list("cert-manager.io/v1", "ClusterIssuer")}
    (ingress, *_) = api.list("networking.k8s.io/v1", "Ingress", namespace)
    issuer = issuers[ingress["metadata"]["annotations"]["cert-manager.io/cluster-issuer"]]
    (solver,) = issuer["spec"]["acme"]["solvers"]
    return str(solver["http01"]["ingress"].get("serviceType", "NodePort"))


def _owner(item: Object) -> dict[str, Any]:
    metadata = item["metadata"]
    return {
        "apiVersion": item["apiVersion"],
        "kind": item["kind"],
        "name": metadata["name"],
        "uid": metadata["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }


def _create_or_replace(api: Api, item: Object) -> Object:
    try:
        return api.create(item)
    except ApiError as error:
        if error.reason != "AlreadyExists":
            raise
        return api.patch(item, {"data": item["data"], "metadata": {"labels": item["metadata"]["labels"]}})
