"""Chooses what builds."""

import shutil

from scripts.core.errors import ExitCode, OperatorError
from scripts.images import azure_cli
from scripts.images.registry.credentials import auth_file

from .acr_tasks import AcrTasks
from .base import Builder
from .local import Buildah, Buildx, docker_environment, probe

NAMES = ("auto", "buildx", "podman", "buildah", "acr")


def choose(name: str, registry: str) -> Builder:
    """Return the builder `name`; `auto` takes the first that works, local ones before Azure.

    Raises OperatorError when it is absent or cannot serve `registry`.
    """
    tried = NAMES[1:] if name == "auto" else (name,)
    for candidate in tried:
        builder = _usable(candidate, registry)
        if builder:
            return builder
    if name == "auto":
        what = "nothing on this machine can build images: docker buildx, podman, buildah and az are missing"
        fix = "install one of them, or set images.opik to `import` in the environment file"
        raise OperatorError(what, fix, ExitCode.NOT_READY)
    if name == "acr" and azure_cli.present():
        raise OperatorError(f"{registry} is not an Azure registry, so it cannot build", "choose another --builder")
    raise OperatorError(f"the builder {name} is not usable here", "install it, or choose `auto`", ExitCode.NOT_READY)


def _usable(name: str, registry: str) -> Builder | None:
    if name == "buildx":
        # The client alone is no use: `docker version` fails without its engine. Asked as a build will be.
        with auth_file({}) as file:
            env = docker_environment(file)
            engine = probe("docker", "version", "--format", "{{.Server.Version}}", env=env)
            works = engine and probe("docker", "buildx", "version", env=env)
        return Buildx() if works else None
    if name == "podman" and shutil.which("podman"):
        return Buildah("podman")
    if name == "buildah" and shutil.which("buildah"):
        return Buildah("buildah")
    if name == "acr" and azure_cli.present() and registry.endswith(".azurecr.io"):
        return AcrTasks()
    return None
