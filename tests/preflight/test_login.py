"""Login and subscription: each bad state is one clear sentence with its command."""

from typing import Any

import pytest

from scripts.azure.errors import NoLoginError
from scripts.preflight.findings import Outcome
from tests.support.preflight.azure_api import SCOPE, SUBSCRIPTION
from tests.support.preflight.logins import Azure, Refused, sentences
from tests.support.preflight.surroundings import result, sound, surroundings
from tests.support.stacks.durable import settings

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
