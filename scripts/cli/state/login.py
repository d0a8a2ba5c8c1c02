"""Who the Azure CLI is logged in as."""

import base64
import json

from scripts.core.azure import az_text


def logged_in() -> tuple[str, str]:
    """Return object id and kind of whoever `az` is logged in as: a person, a service principal or a managed identity.

    The id stands in the token itself, since a service principal may often not read the directory, not even itself.
    """
    kind = json.loads(az_text("account", "show", "--query", "user.type", "--output", "json"))
    token = json.loads(az_text("account", "get-access-token", "--query", "accessToken", "--output", "json"))
    payload = str(token).split(".")[1]
    token_claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return str(token_claims["oid"]), "ServicePrincipal" if kind == "servicePrincipal" else "User"
