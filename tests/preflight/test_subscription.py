"""Login, subscription, permissions, directory, providers, features, regions: each bad state is one clear sentence."""

import json
from pathlib import Path
from typing import Any

import pytest

from scripts.azure.errors import NoLoginError
from scripts.preflight.findings import Outcome
from scripts.preflight.rights import RUN_COMMAND
from tests.support.preflight.azure_api import NAMESPACES, SCOPE, SUBSCRIPTION, AzureApi, Token
from tests.support.preflight.surroundings import result, sound, surroundings
from tests.support.stacks.durable import settings

Azure = tuple[AzureApi, str]
CONTRIBUTOR = {
    "actions": ["*"],
    "notActions": ["Microsoft.Authorization/*/Delete", "Microsoft.Authorization/*/Write"],
}
ACCESS = {"actions": ["*/read", "Microsoft.Authorization/*"], "notActions": []}
ROLES_ALONE = {"actions": ["Microsoft.Authorization/roleAssignments/write", "*/read"], "notActions": []}
READER = {"actions": ["*/read"], "notActions": []}
KEY = f"{SCOPE}/resourceGroups/keys/providers/Microsoft.Compute/diskEncryptionSets/llm"


class Refused:
    """A credential that Entra or az refuses."""

    def __init__(self, said: str) -> None:
        self.said = said

    def get_token(self, *_scopes: str, **_options: Any) -> Any:
        from azure.core.exceptions import ClientAuthenticationError

        raise ClientAuthenticationError(self.said)


def sentences(name: str, azure: Azure, environment: Any = None, **more: Any) -> list[str]:
    found = result(name, surroundings(azure[1], environment, **more))
    assert not found.not_checked, found.not_checked
    return [f"{finding.outcome}: {finding.what} -> {finding.fix}" for finding in found.findings]


# --- login -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "sentence", "fix"),
    [
        ("Please run 'az login' to set up an account", "nobody is logged in to Azure", "az login"),
        (
            "ERROR: AADSTS700082: The refresh token has expired due to inactivity.",
            "the login to Azure has expired or is refused (AADSTS700082)",
            "az login",
        ),
        (
            "AADSTS7000222: The provided client secret keys for app are expired.",
            "the secret in ARM_CLIENT_SECRET has expired or is not that of ARM_CLIENT_ID (AADSTS7000222)",
            "az ad app credential reset --id $ARM_CLIENT_ID",
        ),
        (
            "AADSTS50076: you must use multi-factor authentication",
            "Entra asks this login for a second factor or a known device (AADSTS50076)",
            'az login --scope "https://management.core.windows.net//.default"',
        ),
        (
            "ERROR: The subscription of 'x' doesn't exist in cloud 'AzureCloud'.",
            "the login of the Azure CLI does not know this subscription",
            "az login --tenant TENANT",
        ),
        (
            "Azure CLI not found on path",
            "`az` is not installed, and no variable ARM_… names another login",
            "install the Azure CLI: https://learn.microsoft.com/cli/azure/install-azure-cli",
        ),
        (
            "Failed to invoke the Azure CLI",
            "`az` gave no token within 30 s",
            "az account get-access-token --output none",
        ),
        ("Something new\nand more", "there is no login to Azure: Something new", "az login"),
    ],
)
def test_a_login_that_is_missing_is_one_sentence_and_its_command(
    said: str, sentence: str, fix: str, azure: Azure
) -> None:
    assert sentences("login", azure, token=Refused(said)) == [f"failed: {sentence} -> {fix}"]
    assert azure[0].asked == [], "nothing is asked without a login"


def test_the_other_checks_only_say_that_they_need_the_login(azure: Azure) -> None:
    found = result("quota", surroundings(azure[1], token=Refused("Please run 'az login'")))
    assert (found.outcome, found.needs_login) == (Outcome.NOT_CHECKED, True)


def test_a_refused_login_is_asked_for_once() -> None:
    from scripts.azure.login import Login

    class Counted(Refused):
        times = 0

        def get_token(self, *scopes: str, **options: Any) -> Any:
            self.times += 1
            return super().get_token(*scopes, **options)

    credential = Counted("Please run 'az login'")
    login = Login(credential)
    for _ in range(3):
        with pytest.raises(NoLoginError):
            login.get_token("scope")
    assert credential.times == 1


def test_a_placeholder_asks_nothing(azure: Azure) -> None:
    assert sentences("login", azure, settings()) == [
        (
            "failed: azure.subscription_id in environments/dev.yaml is a placeholder -> write yours: az account show"
            " --query id --output tsv"
        )
    ]
    assert azure[0].asked == []


@pytest.mark.parametrize("status", [403, 404])
def test_a_subscription_that_the_login_does_not_see(status: int, azure: Azure) -> None:
    azure[0].given(rf"GET {SCOPE}$", (status, {"error": {"code": "SubscriptionNotFound", "message": "x"}}))
    (line,) = sentences("login", azure)
    assert line.startswith(
        f"failed: this login does not see the subscription {SUBSCRIPTION} -> az login --tenant TENANT"
    )


@pytest.mark.parametrize(
    ("state", "outcome"), [("Disabled", "failed"), ("Deleted", "failed"), ("Warned", "warning"), ("PastDue", "warning")]
)
def test_a_subscription_that_takes_nothing(state: str, outcome: str, azure: Azure) -> None:
    azure[0].given(rf"GET {SCOPE}$", {"displayName": "Platform", "state": state})
    (line,) = sentences("login", azure)
    assert line.startswith(f"{outcome}: the subscription Platform is in the state {state} -> open it")


def test_an_offer_without_gpus_is_said_where_there_are_gpu_pools(azure: Azure) -> None:
    azure[0].given(
        rf"GET {SCOPE}$",
        {"displayName": "Trial", "state": "Enabled", "subscriptionPolicies": {"quotaId": "FreeTrial_2014-09-01"}},
    )
    (line,) = sentences("login", azure)
    assert line.startswith("warning: the subscription is of the offer FreeTrial_2014-09-01 -> upgrade it")
    assert sentences("login", azure, sound(cluster={"gpu_pools": {}})) == []


def test_remote_runs_have_a_login_of_their_own(azure: Azure) -> None:
    remote = sound(state={"backend": "hcp", "hcp": {"organization": "acme"}})
    found = result("login", surroundings(azure[1], remote, token=Refused("Please run 'az login'")))
    assert found.outcome is Outcome.NOT_CHECKED
    assert found.not_checked == ("nobody is logged in to Azure; HCP Terraform's runs have a login of their own")


# --- permissions -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("given", [[CONTRIBUTOR, ACCESS], [{"actions": ["*"], "notActions": None}]])
def test_who_has_the_rights_reads_nothing(given: list[Any], azure: Azure) -> None:
    azure[0].given("/permissions$", {"value": given})
    assert sentences("permissions", azure) == []


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        (
            [CONTRIBUTOR],
            (
                "User Access Administrator on {scope} (Microsoft.Authorization/locks/write, "
                "Microsoft.Authorization/policyAssignments/write, Microsoft.Authorization/policyDefinitions/write and"
                " 1 more)"
            ),
        ),
        ([CONTRIBUTOR, ROLES_ALONE], "User Access Administrator on {scope} (Microsoft.Authorization/locks/write"),
        ([READER], "Contributor and User Access Administrator on {scope} ("),
        ([], "Contributor and User Access Administrator on {scope} ("),
    ],
)
def test_a_role_that_is_missing_is_named_with_the_command_that_gives_it(
    given: list[Any], missing: str, azure: Azure
) -> None:
    azure[0].given("/permissions$", {"value": given})
    (line,) = sentences("permissions", azure)
    assert line.startswith(f"failed: this login lacks {missing.format(scope=SCOPE)}")
    assert 'az role assignment create --assignee LOGIN --role "User Access Administrator" --scope' in line


def test_the_key_of_the_disks_is_a_scope_of_its_own(azure: Azure) -> None:
    azure[0].given(r"diskEncryptionSets/llm/providers/Microsoft.Authorization/permissions$", {"value": [READER]})
    own_key = sound(cluster={"disk_encryption_set_id": KEY})
    (line,) = sentences("permissions", azure, own_key)
    assert line == (
        "failed: this login lacks Microsoft.Authorization/roleAssignments/write on cluster.disk_encryption_set_id -> az"
        f' role assignment create --assignee LOGIN --role "User Access Administrator" --scope {KEY}'
    )
    assert sentences("permissions", azure, own_key, stacks=("disks",)) == [], "only the cluster's identity gets a role"


def test_a_key_that_does_not_exist(azure: Azure) -> None:
    gone = (404, {"error": {"code": "ResourceNotFound", "message": "x"}})
    azure[0].given(r"diskEncryptionSets/llm/providers/Microsoft.Authorization/permissions$", gone)
    (line,) = sentences("permissions", azure, sound(cluster={"disk_encryption_set_id": KEY}))
    assert line.startswith(f"failed: cluster.disk_encryption_set_id: there is no {KEY} ->")


INVOKE = {"cluster_access": "command-invoke"}
CLUSTER = "managedClusters/llm-dev-aks/providers/Microsoft.Authorization/permissions$"


def test_who_runs_commands_through_azure_needs_a_role_for_it(azure: Azure) -> None:
    azure[0].given(CLUSTER, {"value": [READER]})
    asking = sound(operators=INVOKE, cluster={"api_access": "private"})
    (line,) = sentences("permissions", azure, asking)
    assert "lacks Microsoft.ContainerService/managedClusters/runcommand/action on the cluster" in line
    assert line.endswith("docs/reference/permissions.md#commands-through-azure, and assign it on the cluster")
    azure[0].given(CLUSTER, {"value": [{"actions": list(RUN_COMMAND)}]})
    assert sentences("permissions", azure, asking) == []
    assert sentences("permissions", azure, sound(cluster={"api_access": "private"})) == []


def test_before_there_is_a_cluster_the_subscription_says_it(azure: Azure) -> None:
    azure[0].given(CLUSTER, (404, {"error": {"code": "ResourceNotFound", "message": "x"}}))
    assert sentences("permissions", azure, sound(operators=INVOKE, cluster={"api_access": "private"})) == []


def test_the_page_gives_exactly_what_the_command_asks() -> None:
    page = (Path(__file__).parents[2] / "docs" / "reference" / "permissions.md").read_text("utf-8")
    role = json.loads(page.partition("<<'END'\n")[2].partition("END\n")[0])
    assert tuple(role["Actions"]) == RUN_COMMAND
    assert not {"NotActions", "DataActions"} & set(role)


STATE = {"backend": "azurerm", "azurerm": {"resource_group": "tf", "storage_account": "tfstate1"}}


def test_an_owner_without_data_actions_cannot_write_the_state(azure: Azure) -> None:
    azure[0].given("containers/tfstate/providers.*/permissions$", {"value": [{"actions": ["*"], "dataActions": []}]})
    (line,) = sentences("permissions", azure, sound(state=STATE))
    assert line.startswith("failed: this login lacks Storage Blob Data Contributor on the container of the state -> az")


def test_a_state_that_was_never_bootstrapped(azure: Azure) -> None:
    gone = (404, {"error": {"code": "ResourceNotFound", "message": "x"}})
    azure[0].given("containers/tfstate/providers.*/permissions$", gone)
    assert sentences("permissions", azure, sound(state=STATE)) == [
        "failed: the container of the state, tfstate1/tfstate, does not exist -> llmctl state bootstrap dev"
    ]


# --- directory -------------------------------------------------------------------------------------------------------

ALL = [
    "AppRoleAssignment.ReadWrite.All",
    "Application.Read.All",
    "Application.ReadWrite.OwnedBy",
    "DelegatedPermissionGrant.ReadWrite.All",
    "Group.Create",
]
CLOUD_ADMINISTRATOR = "158c047a-c907-4556-b7ef-446551a6b5f7"
GROUP = "33333333-3333-3333-3333-333333333333"


def program(*roles: str, **claims: Any) -> Token:
    return Token(idtyp="app", roles=list(roles), **claims)


def test_a_pipeline_reads_which_permissions_of_graph_it_lacks(azure: Azure) -> None:
    (line,) = sentences("directory", azure, token=program("Application.ReadWrite.OwnedBy", "Group.Create"))
    assert line.startswith(
        "failed: this login lacks AppRoleAssignment.ReadWrite.All, Application.Read.All,"
        " DelegatedPermissionGrant.ReadWrite.All in the directory"
    )
    assert sentences("directory", azure, token=program(*ALL)) == []
    wider = ("AppRoleAssignment.ReadWrite.All", "Application.ReadWrite.All", "Directory.ReadWrite.All")
    assert sentences("directory", azure, token=program(*wider)) == []
    assert sentences("directory", azure, token=program(wids=[CLOUD_ADMINISTRATOR])) == []
    assert azure[0].asked == [], "a program's token says all of it"


def test_what_the_stack_does_not_make_needs_no_right(azure: Azure) -> None:
    held = program(*(right for right in ALL if right not in ("Group.Create", ALL[3])))
    given: dict[str, Any] = {"access_group_object_id": GROUP, "admin_consent": False}
    for opik in ({"access_group_object_id": GROUP}, {"enabled": False}):
        assert sentences("directory", azure, sound(identity=given, opik=opik), token=held) == []
    (line,) = sentences("directory", azure, sound(identity=given), token=held)
    assert "lacks Group.Create" in line, "Opik's group is made too"


def directory(azure: Azure, *, apps: bool = True, groups: bool = True, roles: tuple[str, ...] = ()) -> None:
    allowed = {"allowedToCreateApps": apps, "allowedToCreateSecurityGroups": groups}
    azure[0].given("authorizationPolicy$", {"defaultUserRolePermissions": allowed})
    azure[0].given("directoryRole$", {"value": [{"roleTemplateId": role} for role in roles]})


def test_a_person_reads_what_the_tenant_does_not_let_users_make(azure: Azure) -> None:
    directory(azure, apps=False, groups=False)
    lines = sentences("directory", azure)
    assert [line.partition(",")[0] for line in lines[:2]] == [
        "failed: users may not register applications in this tenant",
        "failed: users may not create groups in this tenant",
    ]
    assert lines[2].startswith("warning: this login has no active role that assigns people to applications")
    directory(azure, apps=False, groups=False, roles=("62e90394-69f5-4237-9190-012177145e10",))
    assert sentences("directory", azure) == []
    directory(azure, groups=False, roles=(CLOUD_ADMINISTRATOR,))
    own = {"access_group_object_id": GROUP}
    assert sentences("directory", azure, sound(identity=own, opik=own)) == [], "no group is made"


def test_a_role_in_the_token_counts(azure: Azure) -> None:
    directory(azure, apps=False)
    assert sentences("directory", azure, token=Token(idtyp="user", wids=[CLOUD_ADMINISTRATOR])) == []


def test_a_token_that_cannot_be_read_judges_nobody(azure: Azure) -> None:
    class Opaque(Token):
        def get_token(self, *scopes: str, **options: Any) -> Any:
            return super().get_token(*scopes, **options)._replace(token="opaque")

    found = result("directory", surroundings(azure[1], token=Opaque()))
    assert found.not_checked == "the login's token cannot be read"


def test_an_existing_application_needs_no_right_in_the_directory(azure: Azure) -> None:
    from scripts.preflight.catalogue import CHECKS

    check = next(check for check in CHECKS if check.name == "directory")
    ids = dict.fromkeys(("client_id", "application_object_id", "access_group_object_id"), GROUP)
    assert not check.concerns(sound(identity={"manage": False, **ids}))
    assert azure[0].asked == []


# --- providers, features, regions ------------------------------------------------------------------------------------


def registered(azure: Azure, *missing: str) -> None:
    azure[0].given(
        rf"GET {SCOPE}/providers$",
        {
            "value": [
                {"namespace": name, "registrationState": "NotRegistered" if name in missing else "Registered"}
                for name in NAMESPACES
            ]
        },
    )


def test_a_provider_that_the_deployment_may_register_is_a_warning(azure: Azure) -> None:
    registered(azure, "Microsoft.DBforPostgreSQL", "Microsoft.KeyVault")
    assert sentences("resource providers", azure) == [
        (
            "warning: not registered yet: Microsoft.DBforPostgreSQL, Microsoft.KeyVault -> az provider register"
            " --namespace"
            " Microsoft.DBforPostgreSQL --wait; az provider register --namespace Microsoft.KeyVault --wait"
        )
    ]
    assert sentences("resource providers", azure, stacks=("acr",)) == []


def test_a_provider_that_nobody_may_register_is_a_failure(azure: Azure) -> None:
    registered(azure, "Microsoft.KeyVault")
    azure[0].given("/permissions$", {"value": [READER]})
    (line,) = sentences("resource providers", azure)
    assert line.startswith("failed: not registered, and this login may not do it: Microsoft.KeyVault -> a Contributor")


@pytest.mark.parametrize("answer", [{"properties": {"state": "NotRegistered"}}, {"properties": {"state": "Pending"}}])
def test_encryption_at_host_has_to_be_registered(answer: Any, azure: Azure) -> None:
    azure[0].given("features/EncryptionAtHost$", answer)
    (line,) = sentences("features", azure, sound(cluster={"host_encryption": True}))
    state = answer["properties"]["state"]
    assert line.startswith(
        f"failed: cluster.host_encryption needs the feature EncryptionAtHost, which is {state} -> az feature register"
        " --namespace Microsoft.Compute --name EncryptionAtHost; once it is Registered: az provider register"
    )


def test_a_region_that_the_subscription_does_not_have(azure: Azure) -> None:
    azure[0].given(r"/locations$", {"value": [{"name": "northeurope"}]})
    (line,) = sentences("regions", azure)
    assert line.startswith("failed: azure.region: this subscription does not have the region westeurope ->")


def test_regions_of_replicas_and_copies_count_for_their_stacks(azure: Azure) -> None:
    far = sound(registry={"tier": "Premium", "geo_replicas": ["polandcentral"]},
                backups={"copy_to_region": "italynorth"})  # fmt: skip
    lines = sentences("regions", azure, far)
    assert [line.partition(":")[2].partition(" ->")[0] for line in lines] == [
        " registry.geo_replicas: this subscription does not have the region polandcentral",
        " backups.copy_to_region: this subscription does not have the region italynorth",
    ]
    assert sentences("regions", azure, far, stacks=("aks",)) == []


def test_zones_that_the_region_lacks_for_this_subscription(azure: Azure) -> None:
    zones = {"name": "westeurope", "availabilityZoneMappings": [{"logicalZone": zone} for zone in "31"]}
    azure[0].given(r"/locations$", {"value": [zones]})
    assert sentences("regions", azure) == [
        "failed: azure.zones: westeurope has no zone 2 for this subscription -> write azure.zones: [1, 3]"
    ]
