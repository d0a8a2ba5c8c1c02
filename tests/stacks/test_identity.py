"""The Entra application admits the access group, knows its hosts, and has no secret."""

import json
import re
from pathlib import Path

import pytest

from tests.support.stacks.durable import Block, identity_stack, of_type, only, settings, synthesized, synthesized_anew

GROUP = "11111111-1111-1111-1111-111111111111"
TRACES = "99999999-5555-4555-8555-555555555555"
CLIENT = "22222222-2222-2222-2222-222222222222"
APPLICATION = "33333333-3333-3333-3333-333333333333"
OPERATOR = "44444444-4444-4444-4444-444444444444"


@pytest.fixture(scope="module")
def stack() -> Block:
    return synthesized(identity_stack, settings())


def test_logins_return_to_the_hosts_of_the_domain(stack: Block) -> None:
    assert only(stack, "azuread_application")["web"]["redirect_uris"] == [
        "https://chat.llm-dev.example.com/oauth/oidc/callback",
        "https://grafana.llm-dev.example.com/login/azuread",
        "https://opik.llm-dev.example.com/oauth2/callback",
    ]


def test_logins_return_only_to_what_is_switched_on() -> None:
    varied = settings(opik={"enabled": False}, gateway={"enabled": False}, monitoring={"enabled": False})
    web = only(synthesized(identity_stack, varied), "azuread_application")["web"]
    assert web["redirect_uris"] == [f"https://chat.{varied.domain}/oauth/oidc/callback"]


def test_no_client_secret_and_no_implicit_grant_exist(stack: Block) -> None:
    application = only(stack, "azuread_application")
    assert "password" not in application
    assert not {"azuread_application_password", "azuread_service_principal_password"} & stack["resource"].keys()
    assert set(application["web"]["implicit_grant"].values()) == {False}


def test_only_accounts_of_the_own_tenant_log_in(stack: Block) -> None:
    assert only(stack, "azuread_application")["sign_in_audience"] == "AzureADMyOrg"


def test_only_the_access_group_and_the_operators_get_tokens() -> None:
    stack = synthesized(identity_stack, settings(operators={"object_ids": [OPERATOR]}))
    assert only(stack, "azuread_service_principal")["app_role_assignment_required"] is True
    assert _assigned(stack) == {
        "user": {"${azuread_group.access-group.object_id}"},
        "traces": {"${azuread_group.opik-access-group.object_id}"},
        "admin": {OPERATOR},
    }


def test_without_operators_the_first_deployer_administers_and_stays_the_one(stack: Block) -> None:
    (admin,) = _assigned(stack)["admin"]
    assert admin.startswith("${data.azuread_client_config.")
    (assignment,) = (
        block for block in of_type(stack, "azuread_app_role_assignment") if block["principal_object_id"] == admin
    )
    assert assignment["lifecycle"]["ignore_changes"] == ["principal_object_id"]


def _assigned(stack: Block) -> dict[str, set[str]]:
    """Return role values with the principals that have them."""
    values = {role["id"]: role["value"] for role in only(stack, "azuread_application")["app_role"]}
    assigned: dict[str, set[str]] = {}
    for assignment in of_type(stack, "azuread_app_role_assignment"):
        assigned.setdefault(values[assignment["app_role_id"]], set()).add(assignment["principal_object_id"])
    return assigned


@pytest.mark.parametrize(("required", "claim"), [(True, "ApplicationGroup"), (False, "SecurityGroup")])
def test_tokens_name_the_groups_that_decide(required: bool, claim: str) -> None:
    stack = synthesized(identity_stack, settings(identity={"assignment_required": required}))
    application = only(stack, "azuread_application")
    assert application["group_membership_claims"] == [claim]
    claims = application["optional_claims"]
    assert {"groups"} <= {entry["name"] for entry in claims["id_token"]}
    assert {"groups"} <= {entry["name"] for entry in claims["access_token"]}
    assert bool(of_type(stack, "azuread_app_role_assignment")) is required


def test_given_group_is_used_and_none_is_created() -> None:
    given = settings(identity={"access_group_object_id": GROUP}, opik={"access_group_object_id": TRACES})
    stack = synthesized(identity_stack, given)
    assert not of_type(stack, "azuread_group")
    assert stack["output"]["opik_access_group_object_id"]["value"] == TRACES
    assert _assigned(stack)["traces"] == {TRACES}
    assert stack["output"]["access_group_object_id"]["value"] == GROUP
    assert _assigned(stack)["user"] == {GROUP}


def test_people_manage_the_members_of_a_created_group(stack: Block) -> None:
    group, traces = of_type(stack, "azuread_group")
    assert (group["display_name"], traces["display_name"]) == ("llm-dev users", "llm-dev traces")
    assert "members" not in group
    for each in (group, traces):
        assert each["security_enabled"] is True
        assert "members" in each["lifecycle"]["ignore_changes"]


def test_only_operators_see_traces_until_people_are_added(stack: Block) -> None:
    traces = of_type(stack, "azuread_group")[1]
    assert traces["members"] == ["${data.azuread_client_config.deployer.object_id}"]
    listed = synthesized(identity_stack, settings(operators={"object_ids": [OPERATOR]}))
    assert of_type(listed, "azuread_group")[1]["members"] == [OPERATOR]
    # A role of its own: it opens neither the chat nor Grafana.
    assert _assigned(stack)["traces"] == {"${azuread_group.opik-access-group.object_id}"}
    assert stack["output"]["opik_access_group_object_id"]["value"] == "${azuread_group.opik-access-group.object_id}"
    assert _assigned(stack)["user"] == {"${azuread_group.access-group.object_id}"}


def test_without_opik_there_is_no_group_for_its_traces() -> None:
    stack = synthesized(identity_stack, settings(opik={"enabled": False}))
    assert [group["display_name"] for group in of_type(stack, "azuread_group")] == ["llm-dev users"]
    assert "traces" not in _assigned(stack)


def test_programs_ask_for_a_token_of_the_own_api(stack: Block) -> None:
    application = only(stack, "azuread_application")
    (scope,) = application["api"]["oauth2_permission_scope"]
    assert application["api"]["requested_access_token_version"] == 2
    assert stack["output"]["api_scope"]["value"].endswith(f"/{scope['value']}")
    assert only(stack, "azuread_application_pre_authorized")["permission_ids"] == [scope["id"]]
    assert "identifier_uris" in application["lifecycle"]["ignore_changes"]


def test_ids_of_roles_and_scopes_are_equal_in_every_run(stack: Block) -> None:
    again = synthesized_anew(identity_stack, settings())
    assert only(again, "azuread_application") == only(stack, "azuread_application")
    application = only(stack, "azuread_application")
    ids = [block["id"] for block in [*application["app_role"], *application["api"]["oauth2_permission_scope"]]]
    assert len(set(ids)) == len(ids)


def test_graph_permissions_are_those_of_a_login_and_no_more(stack: Block) -> None:
    (access,) = only(stack, "azuread_application")["required_resource_access"]
    assert access["resource_app_id"] == "00000003-0000-0000-c000-000000000000"
    assert {permission["type"] for permission in access["resource_access"]} == {"Scope"}
    assert {permission["id"] for permission in access["resource_access"]} == {
        "64a6cdd6-aab1-4aaf-94b8-3cc8405e90d0",
        "37f7f235-527c-4136-accd-4a02d197296e",
        "14dad69e-099b-42c9-810b-d002981feec1",
        "e1fe6dd8-ba31-4d61-89e7-88639da4683d",
        "7427e0e9-2fba-42fe-b0c0-848c9e6a8182",
    }


def test_an_administrators_consent_is_given_to_all_that_a_login_asks_for(stack: Block) -> None:
    """Without it nobody but an administrator gets past "Need admin approval"."""
    grant = only(stack, "azuread_service_principal_delegated_permission_grant")
    assert sorted(grant["claim_values"]) == ["User.Read", "email", "offline_access", "openid", "profile"]
    assert "user_object_id" not in grant  # for everybody, not for one user
    ((login, _),) = stack["resource"]["azuread_service_principal"].items()
    assert grant["service_principal_object_id"] == f"${{azuread_service_principal.{login}.object_id}}"
    ((graph, found),) = stack["data"]["azuread_service_principal"].items()
    assert found["client_id"] == "00000003-0000-0000-c000-000000000000"
    assert grant["resource_service_principal_object_id"] == f"${{data.azuread_service_principal.{graph}.object_id}}"


def test_every_scope_that_an_application_asks_for_is_consented_to(stack: Block) -> None:
    asked = set()
    for platform in Path(__file__).parents[1].glob("snapshots/*/platform.tf.json"):
        asked |= {word for scopes in re.findall(_SCOPES, platform.read_text("utf-8")) for word in scopes.split()}
    assert asked == {"openid", "profile", "email", "offline_access", "User.Read"}
    assert asked <= set(only(stack, "azuread_service_principal_delegated_permission_grant")["claim_values"])


_SCOPES = r"openid(?: (?:openid|profile|email|offline_access|[A-Z]\w+\.[A-Z]\w+))+"


def test_without_the_right_to_consent_only_the_consent_is_left_out() -> None:
    without = synthesized(identity_stack, settings(identity={"admin_consent": False}))
    assert not of_type(without, "azuread_service_principal_delegated_permission_grant")
    assert "azuread_service_principal" not in without["data"]
    assert of_type(without, "azuread_application")


def test_the_group_names_no_lone_owner_which_graph_would_refuse_from_an_ordinary_user(stack: Block) -> None:
    """https://github.com/hashicorp/terraform-provider-azuread/issues/1580: only with a second one it is created."""
    assert not any("owners" in group for group in of_type(stack, "azuread_group"))
    changed = settings(identity={"access_group_owner_ids": [OPERATOR]})
    two = of_type(synthesized(identity_stack, changed), "azuread_group")[0]["owners"]
    assert len(two) == 2
    assert OPERATOR in two
    assert any(owner.startswith("${data.azuread_client_config.") for owner in two)


def test_without_directory_rights_the_given_ids_are_handed_on_and_entra_is_left_alone() -> None:
    varied = settings(
        identity={
            "manage": False,
            "client_id": CLIENT,
            "application_object_id": APPLICATION,
            "access_group_object_id": GROUP,
        }
    )
    stack = synthesized(identity_stack, varied)
    assert "resource" not in stack
    assert "azuread" not in json.dumps(stack)
    assert {name: output["value"] for name, output in stack["output"].items()} == {
        "client_id": CLIENT,
        "application_id": f"/applications/{APPLICATION}",
        "access_group_object_id": GROUP,
        "opik_access_group_object_id": GROUP,
        "api_scope": f"api://{CLIENT}/access",
        "one_way": {
            "identity.access_group_object_id": GROUP,
            "identity.manage": "false",
            "opik.access_group_object_id": "",
            "opik.enabled": "true",
        },
    }


def test_stack_of_the_directory_needs_no_azure_subscription(stack: Block) -> None:
    assert set(stack["provider"]) == {"azuread"}
