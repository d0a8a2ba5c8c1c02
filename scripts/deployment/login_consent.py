"""Whether an administrator has consented to what a login asks of Microsoft Graph, and where one does it.

The application requires assignment, and Entra lets users consent to no such application, whatever the tenant's policy
(https://learn.microsoft.com/entra/identity/enterprise-apps/configure-user-consent).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from scripts.core.azure import az
from scripts.core.errors import OperatorError
from scripts.terraform.stack import TerraformError
from stacks.settings.identity import IdentitySettings

if TYPE_CHECKING:
    from scripts.terraform.rollout import Rollout

SCOPES = ("openid", "profile", "email", "offline_access", "User.Read")
"""What chat, Opik and Grafana ask for; `constructs/entra_application.py` consents to the same."""
_GRAPH = "https://graph.microsoft.com/v1.0"
_ANY_TENANT = "organizations"


@dataclass(frozen=True)
class LoginConsent:
    """What Entra says about the consent to one application."""

    link: str
    """Where an administrator consents (Cloud Application Administrator or above)."""
    missing: tuple[str, ...] = ()
    """Scopes that nobody has consented to for the whole tenant."""
    unknown: str = ""
    """Why it could not be asked, empty when it could."""

    @property
    def given(self) -> bool:
        """Whether everybody gets past the consent page."""
        return not self.missing and not self.unknown

    def lines(self) -> list[str]:
        """Return what a person has to know and do, nothing when the consent is given."""
        if self.given:
            return []
        said = (
            f"whether an administrator has consented to the login is not known: {self.unknown}"
            if self.unknown
            else f"an administrator's consent is missing ({', '.join(self.missing)}): until it is given, every login"
            ' ends at "Need admin approval"'
        )
        return [f"Login: {said}.", f"  An administrator (Cloud Application Administrator) opens {self.link}"]


def by_hand(identity: IdentitySettings) -> bool:
    """Tell whether the consent is left to an administrator instead of the stack `identity`."""
    return not (identity.manage and identity.admin_consent)


def outstanding(identity: IdentitySettings, run: "Rollout", ask: Callable[..., dict[str, Any]] = az) -> list[str]:
    """Return what an administrator still has to do so that people can log in; nothing where the stack does it.

    Before the application exists there is nothing to consent to, and nothing is asked.
    """
    if not by_hand(identity):
        return []
    client_id = identity.client_id or _deployed_client_id(run)
    return look(client_id, ask).lines() if client_id else []


def _deployed_client_id(run: "Rollout") -> str | None:
    if "identity" not in run.stacks:
        return None
    try:
        found = run.runner("identity").outputs()
    except TerraformError:
        return None
    return str(found["client_id"]["value"]) if "client_id" in found else None


def consent_link(client_id: str, tenant: str = _ANY_TENANT) -> str:
    """Return the page where an administrator consents to all that the application lists.

    https://learn.microsoft.com/entra/identity/enterprise-apps/grant-admin-consent, "Construct the URL".
    """
    return f"https://login.microsoftonline.com/{tenant}/adminconsent?client_id={client_id}"


def look(client_id: str, ask: Callable[..., dict[str, Any]] = az) -> LoginConsent:
    """Ask Entra, through the Azure CLI, for the consents given to an application. Raises nothing."""
    tenant = _ANY_TENANT
    try:
        tenant = str(ask("account", "show").get("tenantId") or _ANY_TENANT)
        url = f"{_GRAPH}/servicePrincipals(appId='{client_id}')/oauth2PermissionGrants"
        grants = ask("rest", "--method", "GET", "--url", url).get("value") or []
    except OperatorError as error:
        return LoginConsent(consent_link(client_id, tenant), unknown=error.message)
    everybody = " ".join(str(grant.get("scope")) for grant in grants if grant.get("consentType") == "AllPrincipals")
    given = set(everybody.split())
    return LoginConsent(consent_link(client_id, tenant), tuple(scope for scope in SCOPES if scope not in given))
