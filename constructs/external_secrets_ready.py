"""A Job that waits until External Secrets has written Secrets in the versions that were asked for."""

import hashlib
import json
from collections.abc import Mapping, Sequence

from cdktf import ITerraformDependable
from cdktf_cdktf_provider_kubernetes.job_v1 import (
    JobV1,
    JobV1Metadata,
    JobV1Spec,
    JobV1SpecTemplate,
    JobV1SpecTemplateMetadata,
    JobV1SpecTemplateSpec,
    JobV1SpecTemplateSpecContainer,
    JobV1SpecTemplateSpecContainerResources,
    JobV1SpecTemplateSpecContainerVolumeMount,
    JobV1SpecTemplateSpecVolume,
    JobV1SpecTemplateSpecVolumeSecret,
    JobV1SpecTemplateSpecVolumeSecretItems,
    JobV1Timeouts,
)
from constructs import Construct

from .restricted_pod import container_context, pod_context
from .terraform_literal import terraform_literal

_WAIT = """
for pair in "$@"; do
  until [ "$(cat /secrets/${pair%=*}/mark)" = "${pair#*=}" ]; do sleep 2; done
done
"""


class ExternalSecretsReady(JobV1):
    """A Job that ends when each Secret of `expected` holds its value under the key `mark`.

    It mounts the marks alone: its pod cannot start before the Secrets are there, sees none of their other keys, and
    needs no RBAC. What is installed after it never meets a missing or an outdated Secret.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        namespace: str,
        expected: Mapping[str, str],
        mark: str,
        image: str,
        depends_on: Sequence[ITerraformDependable],
    ) -> None:
        """Add the Job; it has a new name whenever `expected` changes, since Jobs cannot be changed.

        `image` needs a shell; `depends_on` is what delivers the Secrets.
        """
        pairs = [f"{secret}={value}" for secret, value in sorted(expected.items())]
        run = hashlib.sha256(json.dumps([pairs, image]).encode()).hexdigest()[:10]
        super().__init__(
            scope,
            id_,
            metadata=JobV1Metadata(name=f"{id_}-{run}", namespace=namespace),
            spec=JobV1Spec(
                backoff_limit=3,
                template=JobV1SpecTemplate(
                    metadata=JobV1SpecTemplateMetadata(labels={"app.kubernetes.io/name": id_}),
                    spec=_pod(sorted(expected), mark=mark, image=image, pairs=pairs),
                ),
            ),
            wait_for_completion=True,
            timeouts=JobV1Timeouts(create="15m", update="15m"),
            depends_on=list(depends_on),
        )


def _pod(names: Sequence[str], *, mark: str, image: str, pairs: Sequence[str]) -> JobV1SpecTemplateSpec:
    return JobV1SpecTemplateSpec(
        restart_policy="OnFailure",
        automount_service_account_token=False,
        enable_service_links=False,
        security_context=pod_context(65534),
        container=[
            JobV1SpecTemplateSpecContainer(
                name="wait",
                image=image,
                command=["sh", "-c", terraform_literal(_WAIT), "wait", *pairs],
                resources=JobV1SpecTemplateSpecContainerResources(
                    requests={"cpu": "5m", "memory": "16Mi"}, limits={"cpu": "100m", "memory": "32Mi"}
                ),
                security_context=container_context(read_only_root=True),
                volume_mount=[
                    JobV1SpecTemplateSpecContainerVolumeMount(
                        name=f"mark-{index}", mount_path=f"/secrets/{name}", read_only=True
                    )
                    for index, name in enumerate(names)
                ],
            )
        ],
        volume=[
            JobV1SpecTemplateSpecVolume(
                name=f"mark-{index}",
                secret=JobV1SpecTemplateSpecVolumeSecret(
                    secret_name=name,
                    optional=False,
                    items=[JobV1SpecTemplateSpecVolumeSecretItems(key=mark, path="mark")],
                ),
            )
            for index, name in enumerate(names)
        ],
    )
