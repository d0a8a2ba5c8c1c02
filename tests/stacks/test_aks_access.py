"""Who reaches the cluster's API and administers it: people by Entra and roles alone, from named ranges."""

import pytest

from tests.support.stacks.cluster_roles import ADMINS, ENVIRONMENTS, OFFICE, SITE, SOMEBODY, roles_of
from tests.support.stacks.disposable import NAT_MODE, aks_stack, cluster_of, named
from tests.support.stacks.durable import Block


@ENVIRONMENTS
def test_people_get_in_by_entra_and_roles_only(environment: str) -> None:
    cluster = cluster_of(environment)
    assert cluster["local_account_disabled"] is True
    assert cluster["role_based_access_control_enabled"] is True
    assert cluster["run_command_enabled"] is False
    entra = cluster["azure_active_directory_role_based_access_control"]
    assert entra["azure_rbac_enabled"] is True
    assert entra["tenant_id"]


def test_extra_admin_groups_administer_the_cluster() -> None:
    cluster = cluster_of(cluster={"extra_admin_group_ids": [ADMINS]})
    assert cluster["azure_active_directory_role_based_access_control"]["admin_group_object_ids"] == [ADMINS]


@pytest.mark.parametrize(
    ("settings", "role"),
    [
        ({"backups": {"scheduled": True, "pipeline_object_id": SOMEBODY}}, "llm-dev-pipeline-backup-"),
        ({"cluster": {"off_hours": {"enabled": True, "pipeline_object_id": SOMEBODY}}}, "llm-dev-pipeline-off-hours-"),
    ],
)
def test_a_schedule_of_a_pipeline_has_its_role_on_each_new_cluster(settings: dict[str, Block], role: str) -> None:
    (given,) = [one for one in roles_of(aks_stack(**settings)) if one[0] == SOMEBODY]
    assert given[1].startswith(role)
    assert given[2] == "azurerm_kubernetes_cluster.cluster.id"
    assert not [one for one in roles_of(aks_stack(backups={"scheduled": True})) if "pipeline" in one[1]]


def test_public_api_answers_operators_and_named_ranges_only() -> None:
    cluster = cluster_of(operators={"ip_ranges": [OFFICE]}, cluster={"api_authorized_ranges": [SITE, OFFICE]})
    assert cluster["private_cluster_enabled"] is False
    assert cluster["api_server_access_profile"]["authorized_ip_ranges"] == [SITE, OFFICE]


def test_nodes_behind_a_nat_gateway_may_reach_a_restricted_api() -> None:
    cluster = cluster_of(operators={"ip_ranges": [OFFICE]}, network=NAT_MODE)
    assert cluster["api_server_access_profile"]["authorized_ip_ranges"] == [
        OFFICE,
        "${data.terraform_remote_state.address-state.outputs.outbound_ip_address}/32",
    ]


def test_api_without_ranges_is_not_restricted_to_nobody() -> None:
    assert "api_server_access_profile" not in cluster_of(network=NAT_MODE)


def test_private_api_has_no_public_name_and_no_ranges() -> None:
    cluster = cluster_of(operators={"ip_ranges": [OFFICE]}, cluster={"api_access": "private"})
    assert (cluster["private_cluster_enabled"], cluster["private_dns_zone_id"]) == (True, "System")
    assert cluster["private_cluster_public_fqdn_enabled"] is False
    assert "api_server_access_profile" not in cluster


def test_first_deployer_stays_administrator_when_another_deploys() -> None:
    role = named(aks_stack(), "azurerm_role_assignment", "operator")
    assert role["lifecycle"]["ignore_changes"] == ["name", "principal_id"]


def test_named_operators_administer_the_cluster_instead_of_the_deployer() -> None:
    aks = aks_stack(operators={"object_ids": [SOMEBODY, ADMINS]})
    admins = {
        principal for principal, role, _ in roles_of(aks) if role == "Azure Kubernetes Service RBAC Cluster Admin"
    }
    assert admins == {SOMEBODY, ADMINS}
    assert "azurerm_client_config" not in aks.get("data", {})


def test_ways_to_the_api_are_handed_on_without_credentials() -> None:
    outputs = aks_stack()["output"]
    assert outputs["api_url"]["value"] == "${nonsensitive(azurerm_kubernetes_cluster.cluster.kube_config[0].host)}"
    handed_on = " ".join(str(output["value"]) for output in outputs.values())
    assert not [word for word in ("client_key", "password", "kube_config_raw", "admin_config") if word in handed_on]
