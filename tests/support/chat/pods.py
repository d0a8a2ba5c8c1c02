"""Open WebUI of the pinned version as its chart runs it: two pods on one database, one Redis and one uploads share."""

import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from stacks.platform.common.catalogue import HELM
from stacks.platform.common.databases import ROOTS_NAME
from stacks.platform.common.ingress_mode import ingress_range
from stacks.platform.components.chat import login, names, release
from stacks.settings import Settings
from tests.support.kubernetes import rendered
from tests.support.kubernetes.rendered import Object, Secrets
from tests.support.llm_gateway.pods import LOCAL_PATH, moved_paths
from tests.support.programs import processes as programs
from tests.support.programs.processes import Program
from tests.support.stacks.components import with_images

DATA = "/app/backend/data"
OF_THE_IMAGE = {
    "ENV": "prod",
    "DATA_DIR": DATA,
    "SCARF_NO_ANALYTICS": "true",
    "DO_NOT_TRACK": "true",
    "ANONYMIZED_TELEMETRY": "false",
    "SENTENCE_TRANSFORMERS_HOME": f"{DATA}/cache/embedding/models",
    "HF_HOME": f"{DATA}/cache/embedding/models",
    "WHISPER_MODEL_DIR": f"{DATA}/cache/whisper/models",
    # Of the package on PyPI: where its frontend is.
    "FROM_INIT_PY": "true",
}
"""Variables of the image: https://github.com/open-webui/open-webui/blob/v0.12.4/Dockerfile."""
EMBEDDING_MODEL = programs.LIVE / "embedding-model"


def chart_environment(values: Mapping[str, Any]) -> list[Object]:
    """Return the container's variables as the chart (16.0.0) writes them from these values."""
    found: list[Object] = []

    def plain(name: str, value: str) -> None:
        found.append({"name": name, "value": value})

    def secret(name: str, reference: str, key: str) -> None:
        found.append({"name": name, "valueFrom": {"secretKeyRef": {"name": reference, "key": key}}})

    if values["ollamaUrls"]:
        plain("OLLAMA_BASE_URLS", ";".join(values["ollamaUrls"]))
    else:
        plain("ENABLE_OLLAMA_API", "False")
    if values["enableOpenaiApi"]:
        plain("OPENAI_API_BASE_URLS", ";".join(values["openaiBaseApiUrls"]))
        secret("OPENAI_API_KEYS", values["openaiApiKeysExistingSecret"], values["openaiApiKeysExistingSecretKey"])
    else:
        plain("ENABLE_OPENAI_API", "False")
    plain("ENABLE_WEBSOCKET_SUPPORT", str(values["websocket"]["enabled"]))
    plain("WEBSOCKET_MANAGER", values["websocket"]["manager"])
    for name in ("REDIS_URL", "WEBSOCKET_REDIS_URL"):
        secret(name, values["websocket"]["existingSecret"], values["websocket"]["existingSecretKey"])
    for name, value in values["extraEnvVars"].items():
        found.append({"name": name, **value} if isinstance(value, Mapping) else {"name": name, "value": str(value)})
    return found


@dataclass
class ChatPods:
    """The pods' parts, by what they are started for."""

    settings: Settings
    folder: Path
    secrets: Secrets
    values: Mapping[str, Any]
    trusted: Path
    """Certificates of whoever is believed."""
    database_roots: Path
    """Certificates of the database server's authorities, in the place of Azure's."""
    ingress: str
    """Address that the ingress has on this machine."""

    def place(self, name: str) -> dict[str, str]:
        """Make a pod's folders; return those of its containers with those of this machine."""
        place = self.folder / name
        uploads = self.folder / "uploads"
        scripts, token = self.folder / "scripts", self.folder / "entra"
        data = place / "data"
        for path in (uploads, data / "cache" / "embedding", place / "tmp", scripts, token):
            path.mkdir(parents=True, exist_ok=True)
        if not (data / "uploads").exists():
            (data / "uploads").symlink_to(uploads)
            shutil.copytree(EMBEDDING_MODEL, data / "cache" / "embedding" / "models")
        for file, text in release.scripts().items():
            (scripts / file).write_text(self.database_roots.read_text() if file == ROOTS_NAME else text)
        return {
            DATA: str(data),
            "/tmp": str(place / "tmp"),
            names.SCRIPT_FOLDER: str(scripts),
            login.TOKEN_FOLDER: str(token),
        }

    def environment(self, container: Object, moved: Mapping[str, str], base: Mapping[str, str]) -> dict[str, str]:
        """Return what a container sees."""
        roots = f"{names.SCRIPT_FOLDER}/{ROOTS_NAME}"
        given = {**base, **rendered.variables(container, names.NAMESPACE, self.secrets)}
        given = {key: text.replace(roots, str(self.database_roots)) for key, text in given.items()}
        python = programs.open_webui_python()
        return {
            **{key: moved_paths(text, moved) for key, text in given.items()},
            "PATH": f"{python.parent}:{LOCAL_PATH}",
            "TMPDIR": moved["/tmp"],
            "SSL_CERT_FILE": str(self.trusted),
            "REQUESTS_CA_BUNDLE": str(self.trusted),
            "OMP_NUM_THREADS": "1",
        }

    def init_container(self, name: str) -> Object:
        """Return one of the containers that start before Open WebUI."""
        found: Object = next(item for item in self.values["extraInitContainers"] if item["name"] == name)
        return found

    def sidecar(self, assertion: str) -> Program:
        """Return what proves the pods' identity; pods of one machine share its address, and so this process."""
        moved = self.place("sidecar")
        (Path(moved[login.TOKEN_FOLDER]) / login.TOKEN_FILE).write_text(assertion)
        container = self.init_container(login.SIDECAR)
        environment = self.environment(container, moved, {})
        command = [str(programs.open_webui_python()), *(moved_paths(text, moved) for text in container["command"][1:])]
        place = self.folder / "sidecar"
        return Program("sidecar", command, place, environment, "127.0.0.1", login.SIDECAR_PORT, health="/healthz")

    def migration(self, name: str) -> "subprocess.Popen[str]":
        """Start the migration of a pod, as its init container does."""
        moved = self.place(name)
        container = self.init_container(release.MIGRATE)
        return subprocess.Popen(
            [str(programs.open_webui_python()), *(moved_paths(text, moved) for text in container["command"][1:])],
            env=self.environment(container, moved, OF_THE_IMAGE),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=self.folder / name,
        )

    def open_webui(self, name: str, ip: str) -> Program:
        """Return the server of a pod at `ip`."""
        moved = self.place(name)
        container = {"env": chart_environment(self.values)}
        environment = self.environment(container, moved, OF_THE_IMAGE)
        # The ingress has this address here.
        environment["FORWARDED_ALLOW_IPS"] = environment["FORWARDED_ALLOW_IPS"].replace(
            ingress_range(self.settings.ingress, self.settings.network), self.ingress
        )
        command = [word.replace("0.0.0.0", ip) for word in self.values["command"][1:]]
        return Program(
            name,
            [str(programs.open_webui_python()), *command],
            self.folder / name,
            environment,
            ip,
            names.PORT,
            health="/health",
            start_s=600,
        )


def chart_values(settings: Settings, *, client: str, group: str, tenant: str) -> dict[str, Any]:
    """Return the values that the release is made with: the file's, and over them the stack's."""
    values: dict[str, Any] = YAML(typ="safe").load((HELM / names.RELEASE / "values.yaml").read_text("utf-8"))
    wired = release.open_webui(*with_images(settings), client_id=client, group_id=group, tenant_id=tenant)
    return _merged(values, wired)


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for key, value in above.items():
        both = isinstance(value, Mapping) and isinstance(merged.get(key), Mapping) and key != "image"
        merged[key] = _merged(merged[key], value) if both else value
    return merged
