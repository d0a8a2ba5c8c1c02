"""Builds in Azure: the context goes up, and the registry builds and stores the image itself."""

import json
import shlex
from dataclasses import dataclass, field

from scripts.core.job_login import JOB
from scripts.images.dockerfile.features import Feature

from .base import Job

TIMEOUT_S = 2 * 3600
TASK = "llmctl-task.yaml"


@dataclass(frozen=True)
class AcrTasks:
    """`az acr run` (https://learn.microsoft.com/cli/azure/acr#az-acr-run): no engine on this machine.

    `az acr build` has the old builder alone; a task can switch BuildKit on
    (https://learn.microsoft.com/azure/container-registry/container-registry-tasks-reference-yaml).
    """

    name: str = field(default="acr", init=False)
    local: bool = field(default=False, init=False)
    lacks: frozenset[Feature] = field(default=frozenset(), init=False)

    def build(self, job: Job) -> None:
        """Upload the context and follow the run. Raises BuildError."""
        # Beside the context and not in it, or `COPY . .` would take it along.
        (job.folder.parent / TASK).write_text(task(job), "utf-8")
        JOB.renew()
        job.run(
            *("az", "acr", "run", "--registry", job.target.registry.partition(".")[0]),
            *("--file", TASK, "--platform", job.recipe.platform, "--timeout", str(TIMEOUT_S)),
            str(job.folder.parent),
            env={"AZURE_CORE_NO_COLOR": "true"},
        )


def task(job: Job) -> str:
    """Return the task as YAML: build with BuildKit, then push."""
    context = job.folder.name
    image = f"$Registry/{job.target.repository}:{job.target.tag}"
    given = [("--build-arg", job.recipe.arguments), ("--label", job.labels)]
    options = [
        word for option, pairs in given for name, value in sorted(pairs.items()) for word in (option, f"{name}={value}")
    ]
    command = f"-t {image} --platform {job.recipe.platform} -f {context}/Dockerfile {shlex.join(options)} {context}"
    steps = [
        {"build": command, "env": ["DOCKER_BUILDKIT=1"], "timeout": TIMEOUT_S},
        {"push": [image], "timeout": TIMEOUT_S},
    ]
    # JSON is YAML, and quotes what has to be.
    return json.dumps({"version": "v1.1.0", "steps": steps}, indent=2)
