"""A Kubernetes Job that Terraform waits for."""

from collections.abc import Mapping, Sequence
from typing import Any

from cdktf import ITerraformDependable, TerraformResource
from constructs import Construct


class Job(TerraformResource):
    """The Job `name`; the deployment goes on when it has completed, and ends when it has failed.

    `spec` is written in the words of the provider's `kubernetes_job_v1`. The provider's own class takes it as objects
    of 400 classes, whose import alone is a quarter of what bindings cost.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        name: str,
        namespace: str,
        labels: Mapping[str, str] | None = None,
        spec: Mapping[str, object],
        timeout_minutes: int,
        depends_on: Sequence[ITerraformDependable],
    ) -> None:
        """Add the Job; Terraform waits `timeout_minutes`."""
        super().__init__(scope, id_, terraform_resource_type="kubernetes_job_v1", depends_on=list(depends_on))
        self._attributes = {
            "metadata": {"name": name, "namespace": namespace, **({"labels": dict(labels)} if labels else {})},
            "spec": dict(spec),
            "wait_for_completion": True,
            "timeouts": dict.fromkeys(("create", "update"), f"{timeout_minutes}m"),
        }

    def _synthesize_attributes(self) -> Mapping[str, Any]:
        return self._attributes
