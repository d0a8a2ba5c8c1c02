"""What the image policy lets into the cluster, by the API server's own admission code (see `tests/support`)."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from stacks.platform.common.catalogue import own_chart
from stacks.platform.common.images import login_server
from stacks.platform.components.image_policy.policy import RELEASE, image_policy
from stacks.settings import load_settings

HELM, GO = shutil.which("helm"), shutil.which("go")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(HELM is None, reason="helm is not on PATH; the CI set brings it"),
    pytest.mark.skipif(GO is None, reason="go is not on PATH"),
]
JUDGE = Path(__file__).parents[2] / "support" / "kubernetes" / "admission"
LONGEST_BUILD_S = 900
NAMESPACES = ("opik", "serving")
OWN = login_server(load_settings("dev").azure_names)
DIGEST = f"@sha256:{'a' * 64}"
GOOD = f"{OWN}/opik/backend:2.1{DIGEST}"

Pod = dict[str, Any]


@pytest.fixture(scope="module")
def policy(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return the policy and its binding, as Helm makes them, by kind."""
    values = tmp_path_factory.mktemp("policy") / "values.json"
    values.write_text(json.dumps(image_policy({}, registry=OWN, namespaces=NAMESPACES) | {"byTag": [f"{OWN}/keda:1"]}))
    command = [str(HELM), "template", RELEASE, str(own_chart(RELEASE)), "--values", str(values)]
    rendered = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return {document["kind"]: document for document in YAML(typ="safe").load_all(rendered)}


@pytest.fixture(scope="module")
def judge(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the program that checks, built once."""
    program = tmp_path_factory.mktemp("judge") / "admission"
    command = [str(GO), "build", "-o", str(program), "."]
    built = subprocess.run(
        command, cwd=JUDGE, capture_output=True, text=True, timeout=LONGEST_BUILD_S, check=False, env=os.environ
    )
    if built.returncode and any(word in built.stderr for word in ("dial tcp", "lookup", "toolchain not available")):
        pytest.skip(f"go cannot fetch what the judge is built from: {built.stderr.splitlines()[-1]}")
    assert built.returncode == 0, built.stderr
    return program


def pod(*images: str, **more: str) -> Pod:
    """Return a pod with `images`; `initContainers` and `ephemeralContainers` have one each."""
    others = {kind: [{"name": kind.lower(), "image": image}] for kind, image in more.items()}
    containers = [{"name": f"c{number}", "image": image} for number, image in enumerate(images)]
    return {"metadata": {"name": "p"}, "spec": {"containers": containers, **others}}


ADMITTED: dict[str, dict[str, Pod]] = {
    "own image by digest": {"new": pod(GOOD, initContainers=GOOD)},
    "of a chart that takes no digest": {"new": pod(f"{OWN}/keda:1")},
    "running before the policy": {"old": pod("busybox"), "new": pod("busybox")},
}
REFUSED: dict[str, dict[str, Pod]] = {
    "by tag": {"new": pod(f"{OWN}/opik/backend:2.1")},
    "part of a digest": {"new": pod(f"{OWN}/opik/backend@sha256:abc")},
    "from elsewhere": {"new": pod(f"docker.io/library/nginx:1{DIGEST}")},
    "host that begins like ours": {"new": pod(f"{OWN}.example.com/nginx{DIGEST}")},
    "one of several": {"new": pod(GOOD, "busybox")},
    "init container": {"new": pod(GOOD, initContainers="busybox")},
    "debug container": {"old": pod(GOOD), "new": pod(GOOD, ephemeralContainers="busybox")},
    "changed in a running pod": {"old": pod("busybox"), "new": pod("nginx")},
}


def test_only_images_of_the_own_registry_by_digest_are_let_in(policy: dict[str, Any], judge: Path) -> None:
    given = {"policy": policy["ValidatingAdmissionPolicy"], "cases": ADMITTED | REFUSED}
    run = subprocess.run([judge], input=json.dumps(given), capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    verdicts: dict[str, str] = json.loads(run.stdout)
    assert {name for name, message in verdicts.items() if not message} == set(ADMITTED)
    assert all(f"not an image of {OWN} by digest" in verdicts[name] for name in REFUSED)


def test_the_policy_denies_in_every_namespace_of_the_platform(policy: dict[str, Any]) -> None:
    rules = policy["ValidatingAdmissionPolicy"]
    (selected,) = rules["spec"]["matchConstraints"]["namespaceSelector"]["matchExpressions"]
    assert selected == {"key": "kubernetes.io/metadata.name", "operator": "In", "values": sorted(NAMESPACES)}
    binding = policy["ValidatingAdmissionPolicyBinding"]["spec"]
    assert binding == {"policyName": rules["metadata"]["name"], "validationActions": ["Deny"]}
