"""What takes long in a deployment, how long, and what is waited for meanwhile."""

import re

_ACTING = re.compile(r"^(?P<address>\S+?(?:\[.*?\])?): (?P<action>Creating|Modifying|Destroying)\.\.\.")
_STILL = re.compile(
    r"^(?P<address>\S+?(?:\[.*?\])?): Still (?P<action>\w+)\.\.\. \[(?:id=[^,]*, )?(?P<elapsed>(?:\d+[hms])+)"
)
_ENDED = re.compile(r"^(?P<address>\S+?(?:\[.*?\])?): (?:Creation|Modifications|Destruction) complete after ")

LONG: dict[str, tuple[str, str]] = {
    "azurerm_kubernetes_cluster": ("AKS makes control plane and first nodes", "5 to 10 min"),
    "azurerm_kubernetes_cluster_node_pool": ("AKS adds a pool of nodes", "2 to 8 min"),
    "azurerm_postgresql_flexible_server": ("Azure makes the database server", "5 to 15 min"),
    "azurerm_postgresql_flexible_server_configuration": ("the server takes one setting after the other", "1 min each"),
    "azurerm_application_gateway": ("Azure makes or changes the gateway", "5 to 10 min"),
    "azurerm_key_vault": ("the vault's name has to be known everywhere", "2 min"),
    "azurerm_key_vault_secret": ("the vault has to answer ten times in a row", "up to 2 min"),
    "azurerm_management_lock": ("Azure has to show the lock ten times in a row", "2 min"),
    "azurerm_resource_group_policy_assignment": ("Azure has to show the assignment everywhere", "95 s"),
    "azurerm_monitor_metric_alert": ("Azure has to show the alert everywhere", "2 min"),
    "azurerm_data_protection_backup_instance_disk": ("Azure Backup tries its rights on the disk", "1 to 5 min"),
    "azurerm_private_endpoint": ("Azure joins the service to the network", "1 to 3 min"),
    "azurerm_private_dns_zone_virtual_network_link": ("Azure joins zone and network", "up to 2 min"),
    "azurerm_role_assignment": ("Azure has to show the role everywhere", "20 s"),
    "azurerm_virtual_network": ("Azure removes what the network still holds", "1 to 3 min"),
    "azurerm_resource_group": ("Azure looks whether the group is empty", "1 to 10 min"),
    "helm_release": ("Helm waits until the release's pods are ready; images are pulled now", "1 to 15 min"),
    "kubernetes_job_v1": ("a Job has to end: see `kubectl get jobs,pods --all-namespaces`", "seconds to minutes"),
    "kubernetes_persistent_volume_claim_v1": ("a claim has to be bound to its volume", "seconds"),
    "kubernetes_namespace_v1": ("everything in the namespace has to be gone", "1 min"),
    "azuread_application": ("Entra has to know the application everywhere", "up to 1 min"),
    "azuread_service_principal": ("Entra has to know the service principal everywhere", "up to 1 min"),
}
"""By type: what is waited for, and how long that usually takes.

Measured with the real providers where they wait by their own clock (policy assignment, alert, vault, secret, lock,
role); else what Azure's own pages and many deployments say.
"""

FIRST_S = 60
"""A wait is reported once it is longer than this, and then again each time it has doubled."""


def seconds(text: str) -> int:
    """Return the seconds in Terraform's way of writing a time, such as `1m10s` or `01m10s`."""
    unit = {"h": 3600, "m": 60, "s": 1}
    return sum(int(number) * unit[letter] for number, letter in re.findall(r"(\d+)([hms])", text))


class Waits:
    """What Terraform is doing in one stack, from the lines that it prints."""

    def __init__(self) -> None:
        self._running: dict[str, tuple[str, int]] = {}
        self._reported: dict[str, int] = {}

    def line(self, text: str) -> None:
        """Take the next line."""
        if begun := _ACTING.match(text):
            self._running[begun["address"]] = (begun["action"].lower(), 0)
        elif still := _STILL.match(text):
            self._running[still["address"]] = (still["action"].lower(), seconds(still["elapsed"]))
        elif ended := _ENDED.match(text):
            self._running.pop(ended["address"], None)

    @property
    def running(self) -> tuple[str, ...]:
        """Addresses that are worked on."""
        return tuple(self._running)

    @property
    def longest(self) -> str:
        """What has been worked on longest, for people; empty between two operations."""
        if not self._running:
            return ""
        address, (action, elapsed) = max(self._running.items(), key=lambda item: item[1][1])
        return described(address, action, elapsed)

    def news(self) -> list[str]:
        """Return what has become long since this was asked last, each a line for people."""
        found = []
        for address, (action, elapsed) in self._running.items():
            due = 2 * self._reported[address] if address in self._reported else FIRST_S
            if elapsed >= due:
                self._reported[address] = elapsed
                found.append(described(address, action, elapsed))
        return found


def described(address: str, action: str, elapsed: int) -> str:
    """Return one wait for people: what, since when, why and how long it usually takes."""
    text = f"{action} {address}"
    if elapsed:
        text += f" for {elapsed // 60}:{elapsed % 60:02}"
    why, usual = LONG.get(address.split(".", maxsplit=1)[0], ("", ""))
    return f"{text} ({why}; usually {usual})" if why and elapsed else text
