"""Definitions of the custom kinds that the platform's own charts use, from the Go modules of the operators.

Where an operator's chart is at hand it brings its own, at the pinned version. KEDA's come from here in any case: on AKS
the add-on brings them.
"""

import json
import os
import subprocess
import time
from http import HTTPStatus
from pathlib import Path

from scripts.core.errors import ExitCode, OperatorError
from scripts.core.workspace import user_cache

from .api import Api, ApiError, Object

MODULES = {
    "cert-manager": (
        "github.com/cert-manager/cert-manager",
        "v1.21.1",
        tuple(
            f"deploy/crds/{kind}.yaml"
            for kind in (
                "cert-manager.io_clusterissuers",
                "cert-manager.io_issuers",
                "cert-manager.io_certificates",
                "cert-manager.io_certificaterequests",
                "acme.cert-manager.io_orders",
                "acme.cert-manager.io_challenges",
            )
        ),
    ),
    "trust-manager": (
        "github.com/cert-manager/trust-manager",
        "v0.24.0",
        ("deploy/crds/trust.cert-manager.io_bundles.yaml",),
    ),
    # The last version that the module's path allows; the API is the same v1.
    "external-secrets": (
        "github.com/external-secrets/external-secrets",
        "v1.3.2",
        (
            "config/crds/bases/external-secrets.io_clustersecretstores.yaml",
            "config/crds/bases/external-secrets.io_externalsecrets.yaml",
            "config/crds/bases/external-secrets.io_pushsecrets.yaml",
        ),
    ),
    "keda-http-add-on": (
        "github.com/kedacore/http-add-on",
        "v0.15.0",
        ("config/crd/bases/http.keda.sh_interceptorroutes.yaml",),
    ),
    "kube-prometheus-stack": (
        "github.com/prometheus-operator/prometheus-operator",
        "v0.93.1",
        tuple(
            f"example/prometheus-operator-crd/monitoring.coreos.com_{kind}.yaml"
            for kind in ("podmonitors", "prometheusrules", "servicemonitors")
        ),
    ),
    "keda": (
        "github.com/kedacore/keda/v2",
        "v2.20.2",
        ("config/crd/bases/keda.sh_scaledobjects.yaml", "config/crd/bases/keda.sh_triggerauthentications.yaml"),
    ),
}
"""Chart that would bring them, to Go module, version and files in it."""


def define(api: Api, *charts: str) -> int:
    """Create the definitions that the charts would bring, and wait until their kinds are served; return how many.

    Raises OperatorError without Go or network, ApiError.
    """
    where = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    wanted = [MODULES[chart] for chart in charts]
    files = [_folder(module, version) / name for module, version, names in wanted for name in names]
    found = []
    for file in files:
        try:
            found.append(api.request("POST", where, file.read_text("utf-8"), content_type="application/yaml"))
        except ApiError as error:
            if error.reason != "AlreadyExists":
                raise
    for item in found:
        while not _served(api.request("GET", f"{where}/{item['metadata']['name']}")):
            time.sleep(0.05)
        for version in item["spec"]["versions"]:
            where_served = f"{item['spec']['group']}/{version['name']}"
            while version["served"] and not _lists(api, f"/apis/{where_served}/{item['spec']['names']['plural']}"):
                time.sleep(0.05)
            api.forget(where_served)
    return len(found)


def _served(item: Object) -> bool:
    conditions = item.get("status", {}).get("conditions") or []
    return any(found["type"] == "Established" and found["status"] == "True" for found in conditions)


def _lists(api: Api, path: str) -> bool:
    """Tell whether a kind is listed; the API answers 404, then 429, for a moment after it calls it established."""
    try:
        api.request("GET", path, limit=1)
    except ApiError as error:
        if error.status not in {HTTPStatus.NOT_FOUND, HTTPStatus.TOO_MANY_REQUESTS}:
            raise
        return False
    return True


def _folder(module: str, version: str) -> Path:
    # Outside of any module, so that nothing else is resolved.
    place = user_cache() / "kubernetes"
    place.mkdir(parents=True, exist_ok=True)
    environment = os.environ | {"GOFLAGS": "-mod=mod", "GOWORK": "off"}
    command = ["go", "mod", "download", "-json", f"{module}@{version}"]
    try:
        done = subprocess.run(command, cwd=place, env=environment, capture_output=True, text=True, check=False)  # noqa: S603
    except FileNotFoundError:
        raise OperatorError("Go is not on PATH", "install Go 1.26 or newer", ExitCode.NOT_READY) from None
    answer = json.loads(done.stdout) if done.stdout.strip() else {}
    if done.returncode or "Dir" not in answer:
        raise OperatorError(
            f"{module} {version} cannot be had: {answer.get('Error') or done.stderr.strip()}", "see network and GOPROXY"
        )
    return Path(answer["Dir"])
