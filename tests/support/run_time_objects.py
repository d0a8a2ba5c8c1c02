"""What operators make at run time and no chart shows, made by hand as their source makes it.

They do not run here: their images are not pulled. What they create meets the same quotas, limits and levels.
"""

import base64
from collections.abc import Iterator
from typing import Any

from scripts.lab.kube.api import Api, Object
from stacks.kubernetes.catalogue import images


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


def challenges(api: Api) -> Iterator[tuple[Object, Object]]:
    """Make what cert-manager makes to prove each host of each Ingress: yield Service and pod.

    cert-manager v1.21.1, pkg/issuer/acme/http/service.go (`buildService`: NodePort, unless the issuer's solver says
    otherwise) and pod.go (`buildDefaultPod`); requests and limits: pkg/controller/acmechallenges options, 10m/64Mi and
    100m/64Mi. The Challenge is their owner; nobody collects them here, so that the Ingress stands for it.
    """
    issuers = {item["metadata"]["name"]: item for item in api.list("cert-manager.io/v1", "ClusterIssuer")}
    for ingress in api.list("networking.k8s.io/v1", "Ingress"):
        annotations = ingress["metadata"].get("annotations") or {}
        issuer = issuers.get(annotations.get("cert-manager.io/cluster-issuer", ""))
        if issuer is None:
            continue
        (solver,) = issuer["spec"]["acme"]["solvers"]
        http01 = solver["http01"]["ingress"]
        for number, tls in enumerate(ingress["spec"]["tls"]):
            labels = {
                "acme.cert-manager.io/http-domain": f"{number}000000001",
                "acme.cert-manager.io/http-token": f"{number}000000002",
                "acme.cert-manager.io/http01-solver": "true",
            }
            metadata: dict[str, Any] = {
                "generateName": "cm-acme-http-solver-",
                "namespace": ingress["metadata"]["namespace"],
                "labels": labels,
                "ownerReferences": [_owner(ingress)],
            }
            yield (
                api.create(_solver_service(metadata, http01.get("serviceType", "NodePort"), labels)),
                api.create(_solver_pod(metadata, tls["hosts"][0], http01.get("podTemplate", {}))),
            )


def _solver_service(metadata: dict[str, Any], service_type: str, labels: dict[str, str]) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata | {"annotations": {"auth.istio.io/8089": "NONE"}},
        "spec": {
            "type": service_type,
            "ports": [{"name": "http", "port": 8089, "targetPort": 8089}],
            "selector": labels,
        },
    }


def _solver_pod(metadata: dict[str, Any], host: str, template: dict[str, Any]) -> Object:
    image = images()["cert-manager/acmesolver"]
    spec = {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "nodeSelector": {"kubernetes.io/os": "linux"},
        "restartPolicy": "OnFailure",
        "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [
            {
                "name": "acmesolver",
                "image": f"{image.repository}:{image.tag}",
                "imagePullPolicy": "IfNotPresent",
                "args": ["--listen-port=8089", f"--domain={host}", "--token=token", "--key=key"],
                "resources": {
                    "requests": {"cpu": "10m", "memory": "64Mi"},
                    "limits": {"cpu": "100m", "memory": "64Mi"},
                },
                "ports": [{"name": "http", "containerPort": 8089}],
                "securityContext": {
                    "readOnlyRootFilesystem": True,
                    "allowPrivilegeEscalation": False,
                    "capabilities": {"drop": ["ALL"]},
                },
            }
        ],
    }
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec | template.get("spec", {})}


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
    from scripts.lab.kube.api import ApiError

    try:
        return api.create(item)
    except ApiError as error:
        if error.reason != "AlreadyExists":
            raise
        return api.patch(item, {"data": item["data"], "metadata": {"labels": item["metadata"]["labels"]}})
