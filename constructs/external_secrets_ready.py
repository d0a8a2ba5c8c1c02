"""A Job that waits until External Secrets has written Secrets in the versions that were asked for."""

import hashlib
import json
from collections.abc import Mapping, Sequence

from cdktf import ITerraformDependable
from constructs import Construct

from .job import Job
from .restricted_pod import container_context, pod_context
from .terraform_literal import terraform_literal

_WAIT = """
for pair in "$@"; do
  until [ "$(cat /secrets/${pair%=*}/mark)" = "${pair#*=}" ]; do sleep 2; done
done
"""


class ExternalSecretsReady(Job):
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
            name=f"{id_}-{run}",
            namespace=namespace,
            spec={
                "backoff_limit": 3,
                "template": {
                    "metadata": {"labels": {"app.kubernetes.io/name": id_}},
                    "spec": _pod(sorted(expected), mark=mark, image=image, pairs=pairs),
                },
            },
            timeout_minutes=15,
            depends_on=depends_on,
        )


def _pod(names: Sequence[str], *, mark: str, image: str, pairs: Sequence[str]) -> dict[str, object]:
    container = {
        "name": "wait",
        "image": image,
        "command": ["sh", "-c", terraform_literal(_WAIT), "wait", *pairs],
        "resources": {
            "requests": {"cpu": "5m", "memory": "16Mi"},
            "limits": {"cpu": "100m", "memory": "32Mi"},
        },
        "security_context": container_context(),
        "volume_mount": [
            {"name": f"mark-{index}", "mount_path": f"/secrets/{name}", "read_only": True}
            for index, name in enumerate(names)
        ],
    }
    marks = [{"key": mark, "path": "mark"}]
    return {
        "restart_policy": "OnFailure",
        "automount_service_account_token": False,
        "enable_service_links": False,
        "security_context": pod_context(65534),
        "container": [container],
        "volume": [
            {"name": f"mark-{index}", "secret": {"secret_name": name, "optional": False, "items": marks}}
            for index, name in enumerate(names)
        ],
    }
