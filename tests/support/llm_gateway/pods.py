"""LiteLLM of the pinned version as its chart runs it: with its PostgreSQL, the Redis that counts, and its Jobs."""

import json
import shutil
import subprocess
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from scripts.cluster.in_pod.database import address as libpq_address
from stacks.platform.common.catalogue import HELM
from stacks.platform.common.databases import ROOTS_NAME
from stacks.platform.components.enabled import enabled_components
from stacks.platform.components.llm_gateway import address, release, secrets
from stacks.platform.components.llm_gateway.cloud import key_models
from stacks.settings import Settings
from tests.support.kubernetes import rendered
from tests.support.kubernetes.rendered import Release, Secrets
from tests.support.programs import processes as programs
from tests.support.programs.processes import Program
from tests.support.stacks.components import components_with_images

QUERY_ENGINE = Path(__file__).parent / "query_engine" / "engine.cjs"
QUERY_ENGINE_HOME = programs.LIVE / f"query-engine-{programs.version('litellm/proxy')}"
COUNTS_WRITTEN_S = 2
"""Seconds between LiteLLM's writes of its counts here; a minute where it is deployed, which many tests would wait."""
LOCAL_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def sending_soon(tracing: str) -> str:
    """Return the program `tracing.py` that sends traces at once instead of every five seconds."""
    soon = tracing.replace("\nSEND_EVERY_S = 5\n", "\nSEND_EVERY_S = 0.2\n")
    assert soon != tracing
    return soon


def rendered_release(
    settings: Settings, folder: Path, database_host: str, *, client_id: str = "", tenant_id: str = ""
) -> Release:
    """Render the release `litellm` as the stack does, but that its counts are written after seconds.

    `client_id` is its identity in the tenant, where it logs in to Azure.
    """
    values = release.litellm(
        *components_with_images(settings), database_host=database_host, client_id=client_id, tenant_id=tenant_id
    )
    values["config"]["general_settings"]["proxy_batch_write_at"] = COUNTS_WRITTEN_S
    return rendered.render("litellm", release.RELEASE, address.NAMESPACE, folder, values)


def limits(settings: Settings, folder: Path, secrets_by_name: Secrets, ip: str) -> Program:
    """Return the Redis that counts for all replicas together."""
    values = release.limits(*components_with_images(settings))
    found = rendered.render("valkey", address.LIMITS, address.NAMESPACE, folder, values)
    return valkey(found, address.LIMITS, folder, secrets_by_name, ip)


def valkey(found: Release, name: str, folder: Path, secrets_by_name: Secrets, ip: str) -> Program:
    """Return a rendered Valkey: its own shell line, listening at `ip`."""
    container = found.container("Deployment", name, "valkey")
    (script,) = container["args"]
    assert script.count("valkey-server -") == 1
    script = script.replace("valkey-server -", f"valkey-server --bind {ip} -")
    place = folder / name
    place.mkdir()
    place.chmod(0o777)
    environment = {"PATH": LOCAL_PATH, **rendered.variables(container, found.namespace, secrets_by_name)}
    command = programs.in_debian(place, "nobody:nogroup", *container["command"], script)
    return Program(name, command, place, environment, ip, 6379)


def migrate(database_url: str) -> int:
    """Run the migrations that come with LiteLLM as its Job does, in their order; return how many there are."""
    packages = next(programs.litellm_python().parents[1].glob("lib/*/site-packages"))
    files = sorted((packages / "litellm_proxy_extras" / "migrations").glob("*/migration.sql"))
    with psycopg.connect(libpq_address(database_url), autocommit=True) as connection:
        for path in files:
            connection.execute(path.read_text("utf-8").encode())
    return len(files)


def database_address(found: Release, secrets_by_name: Secrets, database_roots: Path) -> str:
    """Return the database's address as the proxy has it, with the file `database_roots` in the place of Azure's."""
    given = rendered.variables(
        found.container("Deployment", release.RELEASE, "proxy"), found.namespace, secrets_by_name
    )
    return given["DATABASE_URL"].replace(f"{release.ROOTS_FOLDER}/{ROOTS_NAME}", str(database_roots))


def pod(
    found: Release, folder: Path, secrets_by_name: Secrets, *, ip: str, name: str, database_roots: Path
) -> list[Program]:
    """Return a pod of LiteLLM at `ip`, metrics and proxy, as deployed but for addresses, folders and waits.

    `database_roots` holds the database server's authorities, in the place of Azure's.
    """
    place = folder / name
    spec = found.get("Deployment", release.RELEASE)["spec"]["template"]["spec"]
    containers = {item["name"]: item for item in (*spec["initContainers"], *spec["containers"])}
    moved: dict[str, str] = {}
    for container in containers.values():
        moved |= {mount["mountPath"]: str(place / mount["name"]) for mount in container["volumeMounts"]}
    for path in moved.values():
        Path(path).mkdir(parents=True, exist_ok=True)
    for key, text in found.get("ConfigMap", release.RELEASE)["data"].items():
        (Path(moved["/etc/litellm"]) / key).write_text(sending_soon(text) if key == "tracing.py" else text)
    shutil.copy(database_roots, Path(moved[release.ROOTS_FOLDER]) / ROOTS_NAME)
    proxy = containers["proxy"]
    health = proxy["startupProbe"]["httpGet"]["path"]
    made = _Pod(found, secrets_by_name, place, moved, ip)
    return [
        made.container(containers["metrics"], address.METRICS_PORT),
        made.container(proxy, address.PORT, health),
    ]


@dataclass(frozen=True)
class _Pod:
    """What the containers of a pod share."""

    found: Release
    secrets: Secrets
    place: Path
    moved: Mapping[str, str]
    ip: str

    def container(self, container: rendered.Object, port: int, health: str = "") -> Program:
        """Return one of them."""
        python = programs.litellm_python()
        given = rendered.variables(container, self.found.namespace, self.secrets)
        roots = self.moved[release.ROOTS_FOLDER]
        given = {key: text.replace(f"={release.ROOTS_FOLDER}/", f"={roots}/") for key, text in given.items()}
        environment = {key: moved_paths(text, self.moved) for key, text in given.items()}
        environment |= {
            "PATH": f"{python.parent}:{LOCAL_PATH}",
            "HOME": self.moved["/tmp"],
            "TMPDIR": self.moved["/tmp"],
            # Prisma's own is to be had from nowhere but its vendor's servers.
            "PRISMA_QUERY_ENGINE_BINARY": str(QUERY_ENGINE),
            "PRISMA_SCHEMA_ENGINE_BINARY": str(QUERY_ENGINE),
            "PRISMA_HOME_DIR": str(QUERY_ENGINE_HOME / "python"),
            "QUERY_ENGINE_HOME": str(QUERY_ENGINE_HOME),
        }
        command = [moved_paths(text, self.moved) for text in (*container["command"], *container["args"])]
        assert command[0] == "python"
        arguments = [text for text in command[1:] if not text.startswith("--host=")]
        name = f"{self.place.name}-{container['name']}"
        return Program(
            name, [str(python), *arguments, f"--host={self.ip}"], self.place, environment, self.ip, port, health=health
        )


def moved_paths(text: str, moved: Mapping[str, str]) -> str:
    """Return `text` with the container's folders replaced by the test's."""
    for old, new in sorted(moved.items(), key=lambda pair: -len(pair[0])):
        if text == old or text.startswith(f"{old}/"):
            return new + text[len(old) :]
        option, equals, value = text.partition("=")
        if equals and (value == old or value.startswith(f"{old}/")):
            return f"{option}={new}{value[len(old) :]}"
    return text


def register(
    settings: Settings, folder: Path, secrets_by_name: Secrets, base: str
) -> "subprocess.CompletedProcess[str]":
    """Run the script that registers the platform's keys, as the chart's Job does."""
    keys = folder / "keys"
    keys.mkdir(exist_ok=True)
    held = secrets_by_name[address.NAMESPACE, secrets.SECRET]
    limits = settings.gateway.person_limits
    callers = tuple(enabled_components(settings).gateway_callers())
    aliases = [caller.key_name for caller in callers]
    for alias in aliases:
        (keys / alias).write_text(held[alias])
    models = (
        {"KEY_MODELS": json.dumps(found)}
        if (found := key_models(settings.models, settings.cloud_models, callers))
        else {}
    )
    return subprocess.run(
        [str(programs.litellm_python()), str(HELM / "litellm" / "register.py"), *aliases],
        env={
            "GATEWAY": base,
            "KEYS": str(keys),
            "LITELLM_MASTER_KEY": held["LITELLM_MASTER_KEY"],
            "PERSON_LIMITS": json.dumps(limits and release.person_limits(limits)),
            "PATH": LOCAL_PATH,
            **models,
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def ask(
    url: str,
    body: Any = None,
    *,
    key: str | None = None,
    method: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> tuple[int, dict[str, str], bytes]:
    """Return status, headers and content of an answer."""
    known = {"Content-Type": "application/json", **({"Authorization": f"Bearer {key}"} if key else {})}
    data = None if body is None else json.dumps(body).encode()
    try:
        with urllib.request.urlopen(
            urllib.request.Request(url, data=data, headers={**known, **(headers or {})}, method=method), timeout=120
        ) as answer:
            return answer.status, dict(answer.headers), answer.read()
    except urllib.error.HTTPError as error:
        return error.code, dict(error.headers), error.read()
