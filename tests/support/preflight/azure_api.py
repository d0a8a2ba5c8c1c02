"""Azure's resource manager and Microsoft Graph by HTTP: recorded shapes of a sound subscription, and errors.

Shapes: the examples of https://github.com/Azure/azure-rest-api-specs at the versions in scripts/azure/operations.py.
"""

import base64
import copy
import json
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from azure.core.credentials import AccessToken

from tests.support.web_servers import QuietHandler, Reply, served

SUBSCRIPTION = "12345678-1234-4123-8123-123456789abc"
TENANT = "22222222-2222-4222-8222-222222222222"
SCOPE = f"/subscriptions/{SUBSCRIPTION}"
REGION = "westeurope"
OWNER = {"actions": ["*"], "notActions": [], "dataActions": ["*"], "notDataActions": []}

NAMESPACES = (
    "Microsoft.AlertsManagement", "Microsoft.Authorization", "Microsoft.Compute", "Microsoft.ContainerRegistry",
    "Microsoft.ContainerService", "Microsoft.DataProtection", "Microsoft.DBforPostgreSQL", "Microsoft.Insights",
    "Microsoft.KeyVault", "Microsoft.ManagedIdentity", "Microsoft.Monitor", "Microsoft.Network",
    "Microsoft.OperationalInsights", "Microsoft.OperationsManagement", "Microsoft.PolicyInsights", "Microsoft.Storage",
)  # fmt: skip


def machine(name: str, family: str, vcpus: int, *, zones: tuple[str, ...] = ("1", "2", "3"), **abilities: str) -> Any:
    """Return an entry of Microsoft.Compute/skus."""
    can = {
        "vCPUs": str(vcpus), "LowPriorityCapable": "True", "EphemeralOSDiskSupported": "True",
        "CachedDiskBytes": str(300 * 1024**3), "MaxResourceVolumeMB": "307200", "EncryptionAtHostSupported": "True",
        "CpuArchitectureType": "x64", **abilities,
    }  # fmt: skip
    return {
        "resourceType": "virtualMachines",
        "name": name,
        "tier": "Standard",
        "family": family,
        "locations": [REGION],
        "locationInfo": [{"location": REGION, "zones": list(zones), "zoneDetails": []}],
        "capabilities": [{"name": key, "value": value} for key, value in can.items()],
        "restrictions": [],
    }


def usage(name: str, limit: int, taken: int = 0) -> Any:
    """Return an entry of Microsoft.Compute's usages."""
    return {
        "name": {"value": name, "localizedValue": name},
        "unit": "Count",
        "limit": limit,
        "currentValue": taken,
    }


def disks(*names: str) -> list[Any]:
    """Return entries of Microsoft.Compute/skus for kinds of disks."""
    return [{"resourceType": "disks", "name": name, "locations": [REGION], "restrictions": []} for name in names]


def account(kind: str, name: str) -> Any:
    """Return an entry of Microsoft.Storage/skus."""
    return {
        "resourceType": "storageAccounts",
        "kind": kind,
        "name": name,
        "locations": [REGION],
        "capabilities": [],
        "restrictions": [],
    }


POSTGRESQL: dict[str, Any] = {
    "name": "FlexibleServerCapabilities",
    "supportedServerEditions": [
        {
            "name": "Burstable",
            "defaultSkuName": "Standard_B1ms",
            "supportedServerSkus": [
                {"name": "Standard_B2s", "vCores": 2, "supportedZones": ["1", "2", "3"],
                 "supportedHaMode": ["SameZone", "ZoneRedundant"]},
            ],
        },
        {
            "name": "GeneralPurpose",
            "supportedServerSkus": [
                {"name": "Standard_D2ds_v5", "vCores": 2, "supportedZones": ["1", "2"], "supportedHaMode": ["SameZone"]}
            ],
        },
    ],
    "supportedServerVersions": [{"name": "16"}, {"name": "17"}],
    "geoBackupSupported": "Enabled",
    "zoneRedundantHaSupported": "Enabled",
    "restricted": "Disabled",
}  # fmt: skip
FREE = {"nameAvailable": True, "reason": None, "message": ""}
TAKEN = {"nameAvailable": False, "reason": "AlreadyExists", "message": "The name is already in use."}

_SOUND: dict[str, Any] = {
    rf"GET {SCOPE}$": {
        "id": SCOPE,
        "subscriptionId": SUBSCRIPTION,
        "tenantId": TENANT,
        "displayName": "Platform",
        "state": "Enabled",
        "subscriptionPolicies": {"quotaId": "PayAsYouGo_2014-09-01", "spendingLimit": "Off"},
    },
    rf"GET {SCOPE}/locations$": {
        "value": [
            {"name": REGION, "availabilityZoneMappings": [{"logicalZone": zone} for zone in "123"]},
            {"name": "northeurope", "availabilityZoneMappings": None},
        ]
    },
    rf"GET {SCOPE}/providers$": {
        "value": [{"namespace": name, "registrationState": "Registered"} for name in NAMESPACES]
    },
    r"GET .*/features/EncryptionAtHost$": {
        "name": "Microsoft.Compute/EncryptionAtHost",
        "properties": {"state": "Registered"},
    },
    r"GET .*/Microsoft.Authorization/permissions$": {"value": [OWNER]},
    r"GET .*/policyAssignments$": {"value": []},
    r"GET .*/Microsoft.Compute/skus$": {
        "value": [
            machine("Standard_D4ds_v5", "standardDDSv5Family", 4),
            machine("Standard_NC4as_T4_v3", "standardNCASv3_T4Family", 4),
            *disks("Premium_ZRS", "StandardSSD_ZRS", "Premium_LRS"),
        ],
        "nextLink": None,
    },
    r"GET .*/Microsoft.Compute/locations/westeurope/usages$": {
        "value": [
            usage("cores", 100),
            usage("standardDDSv5Family", 100),
            usage("standardNCASv3_T4Family", 0),
            usage("lowPriorityCores", 100),
        ]
    },
    r"GET .*/agentPools$": (404, {"error": {"code": "ResourceNotFound", "message": "The cluster was not found."}}),
    r"GET .*/Microsoft.Storage/skus$": {
        "value": [account("FileStorage", "Premium_ZRS"), account("StorageV2", "Standard_ZRS")]
    },
    r"GET .*/capabilities$": {"value": [POSTGRESQL]},
    r"GET .*/kubernetesVersions$": {
        "values": [
            {"version": "1.35", "capabilities": {"supportPlan": ["KubernetesOfficial", "AKSLongTermSupport"]},
             "patchVersions": {"1.35.7": {"upgrades": ["1.36.3"]}}},
            {"version": "1.36", "isDefault": True, "capabilities": {"supportPlan": ["KubernetesOfficial"]},
             "patchVersions": {"1.36.3": {"upgrades": []}}},
        ]
    },
    r"POST .*/checkNameAvailability$": FREE,
    r"GET .*/deletedVaults$": {"value": [], "nextLink": None},
    r"GET .*/deletedAccounts$": {"value": []},
    r"GET .*/dnszones$": {"value": []},
    r"POST /providers/Microsoft.ResourceGraph/resources$": {
        "totalRecords": 0, "count": 0, "data": [], "resultTruncated": "false",
    },
    r"GET /v1.0/me/transitiveMemberOf/microsoft.graph.directoryRole$": {
        "value": [{"roleTemplateId": "62e90394-69f5-4237-9190-012177145e10", "displayName": "Global Administrator"}]
    },
    r"GET /v1.0/policies/authorizationPolicy$": {
        "defaultUserRolePermissions": {"allowedToCreateApps": True, "allowedToCreateSecurityGroups": True}
    },
}  # fmt: skip

Fault = Callable[[str], Reply | None]
"""From `METHOD path` to what is answered instead, None where nothing is."""


class AzureApi:
    """What is answered, and what was asked."""

    def __init__(self) -> None:
        self.answers = copy.deepcopy(_SOUND)
        self.fault: Fault = lambda _asked: None
        self.asked: list[str] = []
        self.bodies: list[Any] = []
        self.tokens: set[str] = set()
        self.breaking: str = ""
        """Pattern of requests whose connection ends in the middle of the answer."""

    def given(self, pattern: str, answer: Any) -> None:
        """Answer with JSON, or with status and JSON, where `METHOD path` fits."""
        self.answers = {pattern: answer} | {known: old for known, old in self.answers.items() if known != pattern}

    def reply(self, asked: str) -> Reply:
        """Return status, headers and body for `METHOD path`."""
        if faulty := self.fault(asked):
            return faulty
        for pattern, answer in self.answers.items():
            if re.search(pattern, asked):
                status, content = answer if isinstance(answer, tuple) else (200, answer)
                return status, {"Content-Type": "application/json"}, json.dumps(content).encode()
        missing = {"error": {"code": "ResourceNotFound", "message": f"{asked} was not found."}}
        return 404, {"Content-Type": "application/json"}, json.dumps(missing).encode()


@contextmanager
def azure_api() -> Iterator[tuple[AzureApi, str]]:
    """Serve both APIs; gives over what is answered, and the address."""
    api = AzureApi()

    class Handler(QuietHandler):
        def _serve(self) -> None:
            path = self.path.partition("?")[0]
            asked = f"{self.command} {path}"
            api.asked.append(f"{self.command} {self.path}")
            api.tokens.add(self.headers.get("Authorization", ""))
            body = self.body()
            api.bodies.append(json.loads(body) if body else None)
            status, headers, content = api.reply(asked)
            if api.breaking and re.search(api.breaking, asked):
                self.send_response(status)
                self.send_header("Content-Length", str(len(content) + 100))
                self.end_headers()
                self.wfile.write(content[: len(content) // 2])
                self.close_connection = True
                return
            self.answer(status, content, headers)

        do_GET = do_POST = _serve

    with served(Handler) as address:
        yield api, f"http://{address}"


class Token:
    """A login that needs no Azure CLI, and whose token says who it is."""

    def __init__(self, **claims: Any) -> None:
        self.claims = claims or {"idtyp": "user"}
        self.times = 0

    def get_token(self, *_scopes: str, **_options: Any) -> AccessToken:
        """Return a token, unsigned."""
        self.times += 1
        payload = base64.urlsafe_b64encode(json.dumps(self.claims).encode()).decode().rstrip("=")
        return AccessToken(f"e30.{payload}.e30", int(time.time()) + 3600)
