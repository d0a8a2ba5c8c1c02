"""Who the chat takes people for: Entra's login, roles by the sidecar, cookies, and addresses that nobody makes up."""

import pytest

from stacks.settings.rules.chat_variables import RESERVED_VARIABLES
from tests.support.chat.values import chat_values, chat_variables, passed, settings_with


def test_login_is_entras_alone_and_its_secret_does_not_exist() -> None:
    variables = chat_variables(settings_with())
    assert "OAUTH_CLIENT_SECRET" not in variables
    assert variables["OAUTH_TOKEN_ENDPOINT_AUTH_METHOD"] == "none"
    assert variables["OAUTH_CODE_CHALLENGE_METHOD"] == "S256"
    assert variables["OPENID_REDIRECT_URI"] == "https://chat.llm-dev.example.com/oauth/oidc/callback"
    assert variables["ENABLE_SIGNUP"] == variables["ENABLE_PASSWORD_AUTH"] == variables["ENABLE_LOGIN_FORM"] == "False"
    assert variables["OAUTH_AUTO_REDIRECT"] == "True"
    # The one who logs in first would become administrator, whatever Entra says.
    assert variables["WEBUI_ADMIN_EMAIL"] == "administrator@chat.llm-dev.example.com"
    assert "secretKeyRef" in variables["WEBUI_ADMIN_PASSWORD"]["valueFrom"]
    # An address in a token must not open the account of that address.
    assert variables["OAUTH_MERGE_ACCOUNTS_BY_EMAIL"] == "False"


def test_local_administrator_may_log_in_when_asked_for() -> None:
    variables = chat_variables(settings_with(chat={"password_login": True}))
    assert variables["ENABLE_LOGIN_FORM"] == variables["ENABLE_PASSWORD_AUTH"] == "True"
    assert variables["OAUTH_AUTO_REDIRECT"] == "False"


def test_roles_come_from_the_sidecar_which_knows_the_access_group_and_the_operators() -> None:
    operators = {"object_ids": ["11111111-2222-3333-4444-555555555555", "66666666-2222-3333-4444-555555555555"]}
    by_role = settings_with(operators=operators)
    by_group = settings_with(identity={"assignment_required": False}, operators=operators)
    ids = "11111111-2222-3333-4444-555555555555,66666666-2222-3333-4444-555555555555"
    for settings, who in ((by_role, ("", "")), (by_group, ("group", ids))):
        values = chat_values(settings)
        given = {entry["name"]: entry["value"] for entry in values["extraInitContainers"][0]["env"]}
        assert (given["ACCESS_GROUP"], given["ADMINISTRATORS"]) == who
        assert given["GRAPH_URL"] == "https://graph.microsoft.com/v1.0"
        variables = chat_variables(settings)
        assert variables["ENABLE_OAUTH_ROLE_MANAGEMENT"] == "True"
        assert variables["DEFAULT_USER_ROLE"] == "pending"
        roles = ("OAUTH_ROLES_CLAIM", "OAUTH_ALLOWED_ROLES", "OAUTH_ADMIN_ROLES")
        assert [variables[name] for name in roles] == ["platform_roles", "user", "admin"]
        # No token of Entra holds it, so that the sidecar is asked at every login.
        assert variables["OAUTH_USERNAME_CLAIM"] == "platform_name"
        # Permission to ask Graph for the groups of the one who logs in.
        assert "User.Read" in variables["OAUTH_SCOPES"].split()


def test_only_the_sidecar_has_the_token_that_entra_trusts() -> None:
    values = chat_values(settings_with())
    (token,) = (volume for volume in values["volumes"] if "projected" in volume)
    assert token["projected"]["sources"][0]["serviceAccountToken"]["audience"] == "api://AzureADTokenExchange"
    sidecar, migrate = values["extraInitContainers"]
    assert sidecar["restartPolicy"] == "Always"  # what makes it a sidecar
    mounts = {mount["name"] for mount in sidecar["volumeMounts"]}
    others = {mount["name"] for mount in (*migrate["volumeMounts"], *values["volumeMounts"]["container"])}
    assert token["name"] in mounts
    assert token["name"] not in others
    assert values["serviceAccount"]["name"] == "open-webui"
    assert values["serviceAccount"]["automountServiceAccountToken"] is False


def test_web_sockets_and_cookies_belong_to_the_public_address() -> None:
    variables = chat_variables(settings_with())
    assert variables["WEBUI_URL"] == variables["CORS_ALLOW_ORIGIN"] == "https://chat.llm-dev.example.com"
    assert variables["WEBUI_SESSION_COOKIE_SECURE"] == variables["WEBUI_AUTH_COOKIE_SECURE"] == "True"


@pytest.mark.parametrize(("mode", "believed"), [("nginx", "10.244.0.0/16"), ("application-gateway", "10.40.16.0/24")])
def test_a_caller_s_address_counts_as_the_ingress_tells_it_and_as_nobody_else_does(mode: str, believed: str) -> None:
    wired = passed(settings_with(ingress={"mode": mode}))
    assert wired["extraEnvVars"]["FORWARDED_ALLOW_IPS"] == believed
    # The image's own start would have uvicorn believe everybody.
    assert wired["command"] == ["python3", "-m", "uvicorn", "open_webui.main:app", "--host=0.0.0.0", "--port=8080"]
    for name in ("FORWARDED_ALLOW_IPS", "UVICORN_FORWARDED_ALLOW_IPS", "UVICORN_PROXY_HEADERS"):
        assert name in RESERVED_VARIABLES


def test_personal_keys_are_off_and_reach_models_and_completions_alone_where_they_are_on() -> None:
    names = {name for name in chat_variables(settings_with()) if "API_KEYS" in name and not name.startswith("OPENAI")}
    assert names == set()
    keyed = chat_variables(settings_with(chat={"personal_keys": True}))
    assert keyed["ENABLE_API_KEYS"] == keyed["USER_PERMISSIONS_FEATURES_API_KEYS"] == "True"
    assert keyed["ENABLE_API_KEYS_ENDPOINT_RESTRICTIONS"] == "True"
    assert keyed["API_KEYS_ALLOWED_ENDPOINTS"] == "/api/models,/api/chat/completions"
