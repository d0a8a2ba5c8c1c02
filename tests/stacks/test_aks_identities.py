"""What the cluster's programs may do in Azure: identities of workloads, and these roles and no others."""

import pytest

from tests.support.stacks.cluster_roles import ADMINS, ENVIRONMENTS, SOMEBODY, roles_of
from tests.support.stacks.disposable import GATEWAY_MODE, aks_stack
from tests.support.stacks.durable import of_type, only


@ENVIRONMENTS
def test_workloads_get_identities_from_the_clusters_issuer(environment: str) -> None:
    aks = aks_stack(environment)
    cluster = only(aks, "azurerm_kubernetes_cluster")
    assert (cluster["oidc_issuer_enabled"], cluster["workload_identity_enabled"]) == (True, True)
    subjects = {
        credential["subject"]: credential["issuer"]
        for credential in of_type(aks, "azurerm_federated_identity_credential")
    }
    keeper = ("system:serviceaccount:cert-manager:certificate-keeper",) if environment == "prod" else ()
    assert subjects == dict.fromkeys(
        (
            *keeper,
            "system:serviceaccount:cert-manager:cert-manager",
            "system:serviceaccount:databases:prepare-databases",
            "system:serviceaccount:external-secrets:vault-reader",
            "system:serviceaccount:monitoring:grafana",
        ),
        "${azurerm_kubernetes_cluster.cluster.oidc_issuer_url}",
    )


def test_login_application_trusts_the_workloads_that_log_people_in() -> None:
    aks = aks_stack()
    assert {block["subject"] for block in of_type(aks, "azuread_application_federated_identity_credential")} == {
        "system:serviceaccount:chat:open-webui",
        "system:serviceaccount:monitoring:grafana",
        "system:serviceaccount:opik:oauth2-proxy",
    }
    chat_alone = aks_stack(opik={"enabled": False}, monitoring={"enabled": False})
    assert len(of_type(chat_alone, "azuread_application_federated_identity_credential")) == 1


def test_without_directory_rights_the_directory_is_left_alone() -> None:
    given = {"manage": False, "client_id": SOMEBODY, "application_object_id": SOMEBODY}
    aks = aks_stack(identity=given | {"access_group_object_id": ADMINS})
    assert "azuread" not in aks["provider"]
    assert not of_type(aks, "azuread_application_federated_identity_credential")


CONTROL_PLANE = "azurerm_user_assigned_identity.control-plane.principal_id"
KUBELET = "azurerm_user_assigned_identity.kubelet.principal_id"


def test_cluster_and_workloads_have_these_roles_and_no_others() -> None:
    workloads = ("databases", "external-secrets", "grafana")
    roles = {role for role in roles_of(aks_stack()) if not any(workload in role[0] for workload in workloads)}
    assert roles == {
        (CONTROL_PLANE, "Network Contributor", "network-state.outputs.nodes_subnet_id"),
        (CONTROL_PLANE, "Network Contributor", "address-state.outputs.public_ip_id"),
        (CONTROL_PLANE, "Network Contributor", "address-state.outputs.outbound_ip_id"),
        (CONTROL_PLANE, "Reader", "address-state.outputs.resource_group_id"),
        (CONTROL_PLANE, "Managed Identity Operator", "azurerm_user_assigned_identity.kubelet.id"),
        (CONTROL_PLANE, "Disk Restore Operator", "disks-state.outputs.resource_group_id"),
        (KUBELET, "AcrPull", "acr-state.outputs.registry_id"),
        (
            "data.azurerm_client_config.deployer.object_id",
            "Azure Kubernetes Service RBAC Cluster Admin",
            "azurerm_kubernetes_cluster.cluster.id",
        ),
    }


def test_grafana_reads_metrics_of_the_database_and_nothing_else() -> None:
    ((_, role, scope),) = [role for role in roles_of(aks_stack()) if "grafana" in role[0]]
    assert (role, scope) == ("Monitoring Reader", "database-state.outputs.resource_group_id")


def test_certificates_are_kept_with_rights_on_exactly_their_secrets() -> None:
    keeper = [found for found in roles_of(aks_stack("prod")) if "certificate-keeper" in found[0]]
    assert {role for _, role, _ in keeper} == {"Key Vault Secrets Officer"}
    assert {scope for _, _, scope in keeper} == {
        f"database-state.outputs.vault_id}}/secrets/{name}"
        for name in (
            "kept-acme-account",
            "kept-certificate-api",
            "kept-certificate-chat",
            "kept-certificate-grafana",
            "kept-certificate-opik",
        )
    }
    # Nothing of staging is kept.
    assert not [found for found in roles_of(aks_stack("dev")) if "certificate-keeper" in found[0]]


def test_external_secrets_reads_the_vault_and_nothing_else() -> None:
    ((principal, role, scope),) = [role for role in roles_of(aks_stack()) if "external-secrets" in role[0]]
    assert (role, scope) == ("Key Vault Secrets User", "database-state.outputs.vault_id")
    assert principal.startswith("azurerm_user_assigned_identity.external-secrets")


def test_the_job_of_the_databases_reads_one_secret_of_the_vault() -> None:
    ((principal, role, scope),) = [role for role in roles_of(aks_stack()) if "databases" in role[0]]
    assert (role, scope) == (
        "Key Vault Secrets User",
        "database-state.outputs.vault_id}/secrets/database-administrator-password",
    )
    assert principal.startswith("azurerm_user_assigned_identity.databases")
    credentials = of_type(aks_stack(), "azurerm_federated_identity_credential")
    assert "system:serviceaccount:databases:prepare-databases" in {found["subject"] for found in credentials}


@pytest.mark.parametrize(("sku", "firewall"), [("WAF_v2", True), ("Standard_v2", False)])
def test_ingress_controller_may_write_the_gateway_and_use_what_belongs_to_it(sku: str, firewall: bool) -> None:
    aks = aks_stack(ingress=GATEWAY_MODE | {"application_gateway": {"sku": sku}})
    addon = "azurerm_kubernetes_cluster.cluster.ingress_application_gateway[0]"
    controller = f"{addon}.ingress_application_gateway_identity[0].object_id"
    roles = {(role, scope.rpartition(".")[2]) for principal, role, scope in roles_of(aks) if principal == controller}
    expected = {
        ("Reader", "resource_group_id"),
        ("Contributor", "application_gateway_id"),
        ("Network Contributor", "gateway_subnet_id"),
        ("Network Contributor", "public_ip_id"),
    }
    assert roles == expected | ({("Network Contributor", "firewall_policy_id")} if firewall else set())
    gateway = only(aks, "azurerm_kubernetes_cluster")["ingress_application_gateway"]["gateway_id"]
    assert gateway == "${data.terraform_remote_state.network-state.outputs.application_gateway_id}"


@ENVIRONMENTS
def test_cluster_waits_for_the_roles_without_which_azure_refuses_it(environment: str) -> None:
    aks = aks_stack(environment)
    roles = aks["resource"]["azurerm_role_assignment"]
    waits = [roles[name.rpartition(".")[2]] for name in only(aks, "azurerm_kubernetes_cluster")["depends_on"]]
    assert {role["role_definition_name"] for role in waits} >= {"Network Contributor", "Managed Identity Operator"}
