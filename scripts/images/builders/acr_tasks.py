"""Builds in Azure: the context goes up, and the registry builds and stores the image itself."""

from dataclasses import dataclass, field

from .base import Job

TIMEOUT_S = 2 * 3600


@dataclass(frozen=True)
class AcrTasks:
    """`az acr build` (https://learn.microsoft.com/cli/azure/acr#az-acr-build): no engine on this machine."""

    name: str = field(default="acr", init=False)
    local: bool = field(default=False, init=False)

    def build(self, job: Job) -> None:
        """Upload the context and follow the run. Raises BuildError."""
        arguments = [f"{name}={value}" for name, value in sorted(job.recipe.arguments.items())]
        job.run(
            *("az", "acr", "build", "--registry", job.target.registry.partition(".")[0]),
            *("--image", f"{job.target.repository}:{job.target.tag}", "--platform", job.recipe.platform),
            *("--file", "Dockerfile", "--timeout", str(TIMEOUT_S)),
            *(word for argument in arguments for word in ("--build-arg", argument)),
            str(job.folder),
            env={"AZURE_CORE_NO_COLOR": "true"},
        )
