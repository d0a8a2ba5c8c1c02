"""External Secrets between a real Kubernetes API and a vault: what it does with the objects of `kept-certificates`.

The operator itself is not to be had as a Go module at the pinned version. Its texts are Go templates with sprig's
functions, which Helm renders here. The rest follows
https://github.com/external-secrets/external-secrets/blob/v2.9.0/pkg/controllers/pushsecret/pushsecret_controller.go and
`setKeyVaultSecret` in providers/v1/azure/keyvault/keyvault.go beside it.
"""

import base64
import json
from dataclasses import dataclass, field
from pathlib import Path

from scripts.lab.kube.api import Api, ApiError, Object
from tests.support.cluster.helm_client import Helm, HelmError

TAG = {"managed-by": "external-secrets"}


@dataclass
class Vault:
    """A Key Vault: value and tags of each secret."""

    values: dict[str, str]
    tags: dict[str, dict[str, str]]
    writes: int = 0


@dataclass
class ExternalSecrets:
    """The operator, whose turns a test takes."""

    vault: Vault
    helm: Helm
    folder: Path
    errors: dict[str, str] = field(default_factory=dict)
    """Why a PushSecret was not pushed, by its name."""

    def push(self, api: Api) -> None:
        """Bring the vault up to date with what every PushSecret names."""
        self.errors = {}
        for item in api.list("external-secrets.io/v1alpha1", "PushSecret"):
            try:
                self._push(api, item)
            except (ApiError, HelmError) as error:
                self.errors[item["metadata"]["name"]] = str(error)

    def _push(self, api: Api, item: Object) -> None:
        spec = item["spec"]
        source = {"apiVersion": "v1", "kind": "Secret"} | {
            "metadata": {"name": spec["selector"]["secret"]["name"], "namespace": item["metadata"]["namespace"]}
        }
        data = {key: base64.b64decode(value).decode() for key, value in api.get(source)["data"].items()}
        rendered = {key: self._render(text, data) for key, text in spec["template"]["data"].items()}
        (entry,) = spec["data"]
        name, value = entry["match"]["remoteRef"]["remoteKey"], rendered[entry["match"]["secretKey"]]
        if self.vault.tags.get(name, TAG) != TAG:
            self.errors[item["metadata"]["name"]] = "not managed by external-secrets"
        elif self.vault.values.get(name) != value:
            self.vault.values[name], self.vault.tags[name] = value, TAG
            self.vault.writes += 1

    def deliver(self, api: Api) -> None:
        """Make the Secret of every ExternalSecret."""
        for item in api.list("external-secrets.io/v1", "ExternalSecret"):
            spec = item["spec"]
            read = {entry["secretKey"]: self.vault.values[entry["remoteRef"]["key"]] for entry in spec["data"]}
            texts = spec["target"]["template"]["data"]
            made = {"name": spec["target"]["name"], "namespace": item["metadata"]["namespace"]}
            api.create(
                {
                    "apiVersion": "v1",
                    "kind": "Secret",
                    "metadata": made,
                    "stringData": {key: self._render(text, read) for key, text in texts.items()},
                }
            )

    def _render(self, text: str, data: dict[str, str]) -> str:
        chart = self.folder / "engine"
        (chart / "templates").mkdir(parents=True, exist_ok=True)
        (chart / "Chart.yaml").write_text("{apiVersion: v2, name: engine, version: 1.0.0}")
        (chart / "templates" / "text.yaml").write_text("{{ with .Values.data }}" + text + "{{ end }}")
        values = self.folder / "values.json"
        values.write_text(json.dumps({"data": data}))
        shown = self.helm.run("template", "engine", str(chart), "--values", str(values))
        return "\n".join(line for line in shown.splitlines() if line != "---" and not line.startswith("# Source:"))
