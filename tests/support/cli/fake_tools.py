"""Programs that stand in for kubectl and az: they speak the real formats, from files, and note every call."""

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

API_URL = "https://llm-dev.hcp.westeurope.azmk8s.io:443"
CONTEXT = "llm-dev-aks"

_KUBECTL = r"""
import json, pathlib, re, signal, sys, time
folder = pathlib.Path(FOLDER)
words = sys.argv[1:]
with open(folder / "calls", "a") as calls:
    calls.write(json.dumps(["kubectl", *words]) + "\n")

def say(name, otherwise):
    path = folder / name
    if not path.exists():
        sys.exit(otherwise)
    sys.stdout.write(path.read_text())

if words[0] == "config":
    say("kubeconfig.json", "error: no configuration")
    sys.exit()
assert words[:2] == ["--context", CONTEXT], words
action, rest = words[2], words[3:]
if action == "config":
    say("kubeconfig.json", "error: no configuration")
elif action == "get":
    say(f"get-{rest[0]}.json", f'Error from server (Forbidden): {rest[0]} is forbidden: User "me" cannot list resource')
elif action == "exec":
    pod = rest[2]
    say(f"exec-{pod}", f'Error from server (NotFound): pods "{pod}" not found')
elif action == "logs":
    name = rest[3].replace("/", "-")
    say(f"logs-{name}", f'Error from server (NotFound): pods "{name}" not found')
    sys.stdout.flush()
    if (folder / "logs-go-on").exists():
        signal.pause()
elif action in ("annotate", "delete", "patch", "rollout", "run", "scale", "taint", "wait"):
    if (folder / f"refuse-{action}").exists():
        sys.exit(f"error: {(folder / f'refuse-{action}').read_text()}")
elif action == "port-forward":
    local = rest[-1].split(":")[0]
    ends = folder / "forward-ends"
    times = int(ends.read_text()) if ends.exists() else -1
    if times == 0:
        sys.exit("error: error upgrading connection: unable to upgrade connection: pod does not exist")
    if not (folder / "forward-port").exists() and not local:
        sys.exit('Error from server (NotFound): services "opik-frontend" not found')
    print(f"Forwarding from 127.0.0.1:{local or (folder / 'forward-port').read_text()} -> 5173", flush=True)
    if times > 0:
        ends.write_text(str(times - 1))
        sys.exit("error: lost connection to pod")
    signal.pause()
else:
    sys.exit(f"error: unknown command {action!r}")
"""

_AZ = r"""
import json, pathlib, sys
folder = pathlib.Path(FOLDER)
words = sys.argv[1:]
with open(folder / "calls", "a") as calls:
    calls.write(json.dumps(["az", *words]) + "\n")

def option(name):
    return words[words.index(name) + 1]

if words[:2] == ["account", "get-access-token"]:
    token = folder / "token"
    if not token.exists():
        sys.exit("WARNING: a new version is there\nERROR: Please run 'az login' to setup account.")
    print(json.dumps({"accessToken": token.read_text(), "tokenType": "Bearer"}))
elif words[:2] == ["aks", "show"]:
    cluster = folder / "aks.json"
    if not cluster.exists():
        sys.exit("ERROR: AADSTS70043: The refresh token has expired or is invalid due to sign-in frequency checks")
    print(cluster.read_text())
elif words[:3] == ["dataprotection", "backup-instance", "adhoc-backup"]:
    instance = option("--backup-instance-name")
    if (folder / f"refuse-{instance}").exists():
        sys.exit(f"ERROR: (BMSUserErrorObjectNotFound) backup {instance} is not there\nCode: 404")
    vault = f"/subscriptions/{option('--subscription')}/resourceGroups/{option('--resource-group')}"
    vault += f"/providers/Microsoft.DataProtection/backupVaults/{option('--vault-name')}"
    print(json.dumps({"jobId": f"{vault}/backupJobs/job-of-{instance}", "objectType": "OperationJobExtendedInfo"}))
elif words[:3] == ["dataprotection", "job", "show"]:
    statuses = folder / f"{option('--job-id')}"
    left = statuses.read_text().split() if statuses.exists() else ["Completed"]
    print(json.dumps({"name": option("--job-id"), "properties": {"operation": "OnDemandBackup", "status": left[0]}}))
    if statuses.exists() and len(left) > 1:
        statuses.write_text(" ".join(left[1:]))
else:
    sys.exit(f"ERROR: '{words[0]}' is misspelled or not recognized by the system.")
"""


class Tools:
    """Folder that the fake programs answer from."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.bin = folder / "bin"
        self.bin.mkdir(parents=True)
        for name, source in (("kubectl", _KUBECTL), ("az", _AZ)):
            program = self.bin / name
            names = f"FOLDER = {str(folder)!r}\nCONTEXT = {CONTEXT!r}\n"
            program.write_text(f"#!{sys.executable} -IS\n{names}{source}", "utf-8")
            program.chmod(0o755)
        self.write("kubeconfig.json", kubeconfig())

    def write(self, name: str, content: Any) -> None:
        """Let the tools answer with `content`: text as it is, all else as JSON."""
        (self.folder / name).write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")

    def items(self, kind: str, *items: Any) -> None:
        """Let `kubectl get` answer with a list."""
        self.write(f"get-{kind}.json", {"apiVersion": "v1", "kind": "List", "items": items})

    def opik(self, *workloads: Any, clickhouse: str = "Completed") -> None:
        """Let the cluster hold these workloads, and an installation of ClickHouse in this state."""
        self.items("deployments,statefulsets", *workloads)
        installation = {"metadata": {"name": "opik-clickhouse"}, "status": {"status": clickhouse} if clickhouse else {}}
        self.items("clickhouseinstallations.clickhouse.altinity.com", installation)

    @property
    def calls(self) -> list[list[str]]:
        """Every call so far, program first."""
        path = self.folder / "calls"
        return [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.exists() else []


def install(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Tools:
    """Put the fake programs in front of PATH."""
    tools = Tools(folder)
    monkeypatch.setenv("PATH", f"{tools.bin}{os.pathsep}{os.environ['PATH']}")
    return tools


def kubeconfig(current: str = CONTEXT) -> dict[str, Any]:
    """Return what `kubectl config view -o json` prints for two clusters."""
    return {
        "kind": "Config",
        "apiVersion": "v1",
        "clusters": [
            {"name": "other", "cluster": {"server": "https://other.example.org:6443"}},
            {"name": "mine", "cluster": {"server": API_URL, "certificate-authority-data": "DATA+OMITTED"}},
        ],
        "users": [{"name": "me", "user": {}}],
        "contexts": [
            {"name": "other-context", "context": {"cluster": "other", "user": "me"}},
            {"name": CONTEXT, "context": {"cluster": "mine", "user": "me"}},
        ],
        "current-context": current,
    }


def workload(name: str, ready: int = 1, wanted: int = 1, **status: Any) -> dict[str, Any]:
    """Return a Deployment or StatefulSet whose last change has been rolled out, but for `ready` and `status`."""
    rolled: dict[str, Any] = {"observedGeneration": 3, "replicas": wanted, "updatedReplicas": wanted}
    return {
        "metadata": {"name": name, "generation": 3},
        "spec": {"replicas": wanted},
        "status": rolled | ({"readyReplicas": ready} if ready else {}) | status,
    }


def backend_pod(name: str, state: str = "running", restarts: int = 0) -> dict[str, Any]:
    """Return a backend pod whose migrations are in `state`."""
    status = {"name": "backend-migrations", "restartCount": restarts, "state": {state: {}}}
    return {"metadata": {"name": name}, "status": {"initContainerStatuses": [{"name": "wait"}, status]}}
