"""Releases of the platform as Helm renders them, and containers' variables as Kubernetes sets them."""

import json
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from stacks.platform.common.catalogue import own_chart
from stacks.platform.components.databases import jobs as databases
from stacks.settings import Settings
from stacks.settings.secrets.names import SECRETS
from tests.support.stacks.components import secret_names, secret_templates

HELM = shutil.which("helm")
Object = dict[str, Any]
Secrets = Mapping[tuple[str, str], Mapping[str, str]]
"""Namespace and name of a Secret to its keys and their texts."""


def vault() -> dict[str, str]:
    """Return a value for every secret that the platform generates, of the form that it has."""
    return {
        name.value: spec.prefix + (name.value.replace("-", "").title() * 8)[: spec.length]
        for name, spec in SECRETS.items()
    }


def delivered(settings: Settings, values: Mapping[str, str], *, database_host: str) -> Secrets:
    """Return the Secrets that External Secrets makes of the vault, with the texts around the values."""
    texts = secret_templates(settings, database_host=database_host)
    found: dict[tuple[str, str], dict[str, str]] = {}
    for namespace, secrets in secret_names(settings).items():
        for secret, keys in secrets.items():
            around = texts.get(namespace, {}).get(secret, {})
            made = {key: around.get(key, "%s").replace("%s", values.get(name, "")) for key, name in keys.items()}
            found[namespace, secret] = {**{key: text for key, text in around.items() if "%s" not in text}, **made}
    return found


def owners_passwords(settings: Settings, values: Mapping[str, str]) -> dict[str, str]:
    """Return the files that the Job which prepares the databases has of its Secret."""
    keys = secret_names(settings)[databases.NAMESPACE][databases.SECRET]
    return {key: values[name] for key, name in keys.items()}


@dataclass(frozen=True)
class Release:
    """A rendered release in its namespace."""

    namespace: str
    objects: list[Object]

    def get(self, kind: str, name: str) -> Object:
        """Return one object."""
        return next(item for item in self.objects if item["kind"] == kind and item["metadata"]["name"] == name)

    def file(self, config_map: str, key: str) -> str:
        """Return a file of a ConfigMap."""
        return str(self.get("ConfigMap", config_map)["data"][key])

    def container(self, kind: str, name: str, container: str) -> Object:
        """Return one container of a workload's pods."""
        spec = self.get(kind, name)["spec"]["template"]["spec"]
        return next(item for item in spec["containers"] if item["name"] == container)


def render(chart: str, release: str, namespace: str, folder: Path, *values: Mapping[str, Any] | Path) -> Release:
    """Render one of the own charts with files or values, the last of which wins."""
    command = [str(HELM), "template", release, str(own_chart(chart)), "--namespace", namespace]
    for number, given in enumerate(values):
        path = given if isinstance(given, Path) else folder / f"{release}-{number}.json"
        if not isinstance(given, Path):
            path.write_text(json.dumps(given))
        command += ["--values", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return Release(namespace, [item for item in YAML(typ="safe").load_all(done.stdout) if item])


def variables(container: Object, namespace: str, secrets: Secrets) -> dict[str, str]:
    """Return a container's variables as Kubernetes sets them: from Secrets, and with `$(NAME)` of those before."""
    found: dict[str, str] = {}
    for item in container.get("env", []):
        reference = item.get("valueFrom", {}).get("secretKeyRef")
        if reference:
            keys = secrets[namespace, reference["name"]]
            if reference.get("optional") and reference["key"] not in keys:
                continue
            text = keys[reference["key"]]
        else:
            text = str(item.get("value", ""))
        found[item["name"]] = re.sub(
            r"\$\(([A-Za-z_][A-Za-z0-9_]*)\)", lambda match: found.get(match[1], match[0]), text
        )
    return found
