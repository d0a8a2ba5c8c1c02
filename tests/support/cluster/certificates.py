"""What the stack installs for certificates, and what its Job does, in a real cluster without pods."""

import base64
import json
import os
import subprocess
from pathlib import Path

from scripts.lab.kube.api import Api, Object
from stacks.platform.common.catalogue import HELM
from tests.support.cluster.helm_client import Helm


def install(client: Helm, name: str, values: dict[str, object]) -> None:
    """Install an own chart of the certificates, as the stack does."""
    told = {"name": name, "namespace": "cert-manager", "values": [json.dumps(values)], "wait_for_jobs": True}
    client.apply("install", told, str(HELM / name), timeout_s=120)


def bring_back(api: Api, folder: Path) -> str:
    """Run what the Job runs, as its account and with its volume; return what it says."""
    (job,) = (item for item in api.list("batch/v1", "Job", "cert-manager"))
    pod = job["spec"]["template"]["spec"]
    scripts = {"apiVersion": "v1", "kind": "ConfigMap"} | {
        "metadata": {"name": pod["volumes"][1]["configMap"]["name"], "namespace": "cert-manager"}
    }
    secret: Object = {"apiVersion": "v1", "kind": "Secret"} | {
        "metadata": {"name": pod["volumes"][0]["secret"]["secretName"], "namespace": "cert-manager"}
    }
    files, account = folder / "kept", folder / "account"
    files.mkdir(exist_ok=True)
    account.mkdir(exist_ok=True)
    for key, value in api.get(secret)["data"].items():
        (files / key).write_bytes(base64.b64decode(value))
    name = pod["serviceAccountName"]
    asked = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 3600}}
    answer = api.request("POST", f"/api/v1/namespaces/cert-manager/serviceaccounts/{name}/token", asked)
    (account / "token").write_text(answer["status"]["token"])
    roots = api.get(
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "kube-root-ca.crt", "namespace": "cert-manager"}}
    )
    (account / "ca.crt").write_text(roots["data"]["ca.crt"])
    environment = os.environ | {"FILES": str(files), "ACCOUNT": str(account), "API": api.url}
    text = api.get(scripts)["data"]["bring-back.sh"]
    done = subprocess.run(["sh", "-c", text], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "PRIVATE KEY" not in done.stdout + done.stderr
    return done.stdout
