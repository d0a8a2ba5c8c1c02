"""A Job that runs a script from a ConfigMap, on a shared volume or with a Secret, and that Terraform waits for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from cdktf import ITerraformDependable
from constructs import Construct

from .job import Job
from .restricted_pod import container_context, pod_context


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover:
    """A script of the same ConfigMap that runs before, in an image of its own, and leaves a file for the Job's."""

    image: str
    """Needs `sh` and `env`."""
    file: str
    """Name of the script."""
    arguments: tuple[str, ...]
    path: str
    """Folder in memory that both containers have; the Job's only reads it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """What a Job runs, and where."""

    image: str
    """Needs `sh` and `env`."""
    config_map: str
    """ConfigMap that holds the script."""
    folder: str
    """Where the ConfigMap is mounted."""
    file: str
    """Name of the script in it."""
    user_id: int
    """User that it runs as, whose group owns the volumes."""
    claim: str | None = None
    """Volume claim that it works on; either this or `secret`."""
    secret: str | None = None
    """Secret that is mounted instead of a claim, read-only, a file for each key."""
    mount_path: str
    """Where the volume of `claim`, or the Secret, is mounted."""
    credentials: str | None = None
    """Secret that is mounted beside the claim, read-only, a file for each key."""
    credentials_path: str = ""
    """Where `credentials` is mounted."""
    account: str | None = None
    """Service account of the pod; without one it is the namespace's own. Neither's token for the API is mounted."""
    token_audience: str | None = None
    """Set with `token_path`: whom a token of the account is for, mounted as a file and renewed by the kubelet."""
    token_path: str = ""
    """Where that file is."""
    handover: Handover | None = None
    """What runs before; then it alone has the token."""
    requests: Mapping[str, str] = field(default_factory=lambda: {"cpu": "100m", "memory": "512Mi"})
    limits: Mapping[str, str] = field(default_factory=lambda: {"memory": "4Gi"})

    def __post_init__(self) -> None:
        if (self.claim is None) == (self.secret is None):
            raise ValueError(f"{self.file} works either on a claim or with a Secret")


class ScriptJob(Job):
    """The Job `name`: a failure is tried twice more, ends the deployment, and leaves pod and log to be read.

    Terraform's error tells the Job's name, so that it should say what the Job is for.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        name: str,
        namespace: str,
        script: Script,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        labels: Mapping[str, str],
        timeout_minutes: int,
        depends_on: Sequence[ITerraformDependable],
    ) -> None:
        """Add the Job; it ends as failed after `timeout_minutes`."""
        super().__init__(
            scope,
            id_,
            name=name,
            namespace=namespace,
            labels=labels,
            spec={
                "backoff_limit": 2,
                "active_deadline_seconds": timeout_minutes * 60,
                "template": {
                    "metadata": {"labels": dict(labels)},
                    "spec": _pod(script, arguments, environment),
                },
            },
            timeout_minutes=timeout_minutes + 5,
            depends_on=depends_on,
        )


def _pod(script: Script, arguments: Sequence[str], environment: Mapping[str, str]) -> dict[str, object]:
    handover = script.handover
    container = {
        **_container("run", script, image=script.image, file=script.file, arguments=arguments, environment=environment),
        "volume_mount": [
            {"name": "store", "mount_path": script.mount_path, **({} if script.claim else {"read_only": True})},
            {"name": "scripts", "mount_path": script.folder, "read_only": True},
            # All that it may write to beside its store.
            {"name": "temporary", "mount_path": "/tmp"},  # noqa: S108
            *_credentials_mount(script),
            *([_handed(handover, read_only=True)] if handover else _token_mount(script)),
        ],
    }
    return {
        # A new pod for each try, so that the log of every one can be read.
        "restart_policy": "Never",
        **({"service_account_name": script.account} if script.account else {}),
        "automount_service_account_token": False,
        "enable_service_links": False,
        "security_context": pod_context(script.user_id, owns_volumes=True),
        **({"init_container": [_handing_over(script, handover, environment)]} if handover else {}),
        "container": [container],
        "volume": [
            _store(script),
            {"name": "scripts", "config_map": {"name": script.config_map}},
            {"name": "temporary", "empty_dir": {}},
            *([_secret("credentials", script.credentials)] if script.credentials else []),
            *([_token(script)] if script.token_audience else []),
            *([{"name": "handed-over", "empty_dir": {"medium": "Memory"}}] if handover else []),
        ],
    }


def _container(
    name: str, script: Script, *, image: str, file: str, arguments: Sequence[str], environment: Mapping[str, str]
) -> dict[str, object]:
    pairs = [f"{name}={value}" for name, value in sorted(environment.items())]
    return {
        "name": name,
        "image": image,
        # Not as the container's variables, which the provider takes for secrets and hides in every plan.
        "command": ["env", *pairs, "sh", f"{script.folder}/{file}"],
        "args": list(arguments),
        "resources": {"requests": dict(script.requests), "limits": dict(script.limits)},
        "security_context": container_context(),
    }


def _handing_over(script: Script, handover: Handover, environment: Mapping[str, str]) -> dict[str, object]:
    return {
        **_container(
            "before",
            script,
            image=handover.image,
            file=handover.file,
            arguments=handover.arguments,
            environment=environment,
        ),
        "volume_mount": [
            {"name": "scripts", "mount_path": script.folder, "read_only": True},
            _handed(handover),
            *_token_mount(script),
        ],
    }


def _handed(handover: Handover, *, read_only: bool = False) -> dict[str, object]:
    return {"name": "handed-over", "mount_path": handover.path, **({"read_only": True} if read_only else {})}


def _store(script: Script) -> dict[str, object]:
    if script.claim is not None:
        return {"name": "store", "persistent_volume_claim": {"claim_name": script.claim}}
    return _secret("store", str(script.secret))


def _secret(volume: str, name: str) -> dict[str, object]:
    return {"name": volume, "secret": {"secret_name": name, "default_mode": "0440"}}


def _credentials_mount(script: Script) -> list[dict[str, object]]:
    if script.credentials is None:
        return []
    return [{"name": "credentials", "mount_path": script.credentials_path, "read_only": True}]


def _token_mount(script: Script) -> list[dict[str, object]]:
    if script.token_audience is None:
        return []
    return [{"name": "token", "mount_path": script.token_path.rpartition("/")[0], "read_only": True}]


def _token(script: Script) -> dict[str, object]:
    file = script.token_path.rpartition("/")[2]
    token = {"audience": script.token_audience, "expiration_seconds": 3600, "path": file}
    return {"name": "token", "projected": [{"default_mode": "0440", "sources": [{"service_account_token": token}]}]}
