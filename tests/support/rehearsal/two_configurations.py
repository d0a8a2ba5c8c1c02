"""Two small configurations that read each other, with the real Terraform on the fake providers."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import psutil

from scripts.lab.rehearsal.cloud import Cloud
from scripts.lab.rehearsal.mirror import prepare

VERSIONS = {"azurerm": "4.55.0", "azuread": "3.7.0", "kubernetes": "2.38.0", "helm": "3.1.1", "random": "3.7.2"}
HOME = "a rehearsal"  # with a space, as home folders have
PLACE = {"location": "westeurope", "resource_group_name": "${azurerm_resource_group.base.name}"}


def required(*providers: str) -> dict[str, Any]:
    return {name: {"source": f"hashicorp/{name}", "version": VERSIONS[name]} for name in providers}


BASE: dict[str, Any] = {
    "terraform": {
        "required_providers": required("azurerm", "azuread", "random"),
        "backend": {"local": {"path": "../../state/base.tfstate"}},
    },
    "provider": {"azurerm": [{"features": [{}]}], "azuread": [{}], "random": [{}]},
    "data": {"azurerm_client_config": {"me": {}}},
    "ephemeral": {
        "random_password": {"db": {"length": 32}},
        "azurerm_key_vault_secret": {
            "db": {
                "name": "db",
                "key_vault_id": "${azurerm_key_vault.one.id}",
                "depends_on": ["azurerm_key_vault_secret.db"],
            }
        },
    },
    "resource": {
        "azurerm_resource_group": {"base": {"name": "base", "location": "westeurope"}},
        "azuread_application": {"login": {"display_name": "login"}},
        "azurerm_managed_disk": {
            "data": {
                **PLACE,
                "name": "data",
                "storage_account_type": "Premium_ZRS",
                "create_option": "Empty",
                "disk_size_gb": 32,
                "lifecycle": {"prevent_destroy": True},
            }
        },
        "azurerm_management_lock": {
            "data": {"name": "keep", "scope": "${azurerm_managed_disk.data.id}", "lock_level": "CanNotDelete"}
        },
        "azurerm_key_vault": {
            "one": {
                **PLACE,
                "name": "kv-one",
                "sku_name": "standard",
                "tenant_id": "${data.azurerm_client_config.me.tenant_id}",
            }
        },
        "azurerm_key_vault_secret": {
            "db": {
                "name": "db",
                "key_vault_id": "${azurerm_key_vault.one.id}",
                "value_wo": "${ephemeral.random_password.db.result}",
                "value_wo_version": 1,
            }
        },
        "azurerm_postgresql_flexible_server": {
            "one": {
                **PLACE,
                "name": "pg-one",
                "version": "17",
                "sku_name": "B_Standard_B1ms",
                "zone": "1",
                "administrator_login": "administrator",
                "administrator_password_wo": "${ephemeral.azurerm_key_vault_secret.db.value}",
                "administrator_password_wo_version": 1,
            }
        },
        "azurerm_kubernetes_cluster": {
            "one": {
                **PLACE,
                "name": "aks-one",
                "dns_prefix": "aks-one",
                "identity": {"type": "SystemAssigned"},
                "default_node_pool": {
                    "name": "system",
                    "vm_size": "Standard_D4s_v5",
                    "node_count": 1,
                    "upgrade_settings": {"max_surge": "10%"},
                },
            }
        },
    },
    "output": {
        "disk": {"value": "${azurerm_managed_disk.data.id}"},
        "host": {"value": "${azurerm_kubernetes_cluster.one.kube_config[0].host}", "sensitive": True},
        "kubelet": {"value": "${azurerm_kubernetes_cluster.one.kubelet_identity[0].object_id}"},
    },
}
REMOTE = "${data.terraform_remote_state.base.outputs.%s}"
APPS: dict[str, Any] = {
    "terraform": {
        "required_providers": required("kubernetes", "helm"),
        "backend": {"local": {"path": "../../state/apps.tfstate"}},
    },
    "data": {"terraform_remote_state": {"base": {"backend": "local", "config": {"path": "../../state/base.tfstate"}}}},
    "provider": {
        "kubernetes": [{"host": REMOTE % "host"}],
        "helm": [{"kubernetes": {"host": REMOTE % "host"}}],
    },
    "resource": {
        "kubernetes_namespace_v1": {"serving": {"metadata": {"name": "serving"}}},
        "kubernetes_persistent_volume_v1": {
            "data": {
                "metadata": {"name": "data"},
                "spec": {
                    "capacity": {"storage": "32Gi"},
                    "access_modes": ["ReadWriteOnce"],
                    "persistent_volume_source": {
                        "csi": {"driver": "disk.csi.azure.com", "volume_handle": REMOTE % "disk"}
                    },
                },
            }
        },
        "helm_release": {
            "ollama": {
                "name": "ollama",
                "chart": "ollama",
                "namespace": "${kubernetes_namespace_v1.serving.metadata[0].name}",
                "values": ["a: 1\n", '${jsonencode({"disk" = data.terraform_remote_state.base.outputs.disk})}'],
            }
        },
    },
}


class Project:
    """Two configurations and the rehearsal folder they share."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = os.environ | prepare(folder / HOME)
        self.cloud = Cloud(folder / HOME)
        for name, content in (("base", BASE), ("apps", APPS)):
            self.write(name, content)
            self.run(name, "init", "-input=false")

    def write(self, name: str, content: dict[str, Any]) -> None:
        place = self.folder / "stacks" / name
        place.mkdir(parents=True, exist_ok=True)
        (place / "cdk.tf.json").write_text(json.dumps(content))

    def start(self, name: str, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            ["terraform", *arguments, "-no-color"],
            cwd=self.folder / "stacks" / name,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, name: str, *arguments: str, status: int = 0) -> str:
        process = self.start(name, *arguments)
        output, _nothing = process.communicate()
        assert process.returncode == status, output
        return re.sub(r"\s+", " ", output)

    def apply(self, name: str, status: int = 0) -> str:
        return self.run(name, "apply", "-auto-approve", status=status)

    def unchanged(self, name: str) -> None:
        assert "No changes." in self.run(name, "plan", "-detailed-exitcode")

    def fault(self, **fault: Any) -> None:
        (self.folder / HOME / "faults.yaml").write_text(json.dumps([fault] if fault else []))

    def state(self, name: str) -> str:
        return (self.folder / "state" / f"{name}.tfstate").read_text()


def processes_of(project: Project) -> list[psutil.Process]:
    """Return what runs for a project; a forked provider is known by its folder."""
    found = []
    for process in psutil.process_iter():
        try:
            ours = process.environ().get("REHEARSAL_FOLDER") == str(project.folder / HOME)
            if ours or Path(process.cwd()).is_relative_to(project.folder / "stacks"):
                found.append(process)
        except psutil.Error:
            continue
    return found
