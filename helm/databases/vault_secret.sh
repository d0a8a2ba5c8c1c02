#!/bin/sh
# Prints a secret of the vault, read as the managed identity that trusts the token of this pod's service account.
# Needs wget alone; that of the image, busybox', checks certificates by itself.
#
# Arguments: <name of the secret>, whose value has letters, digits, dashes and underscores alone.
# Environment: AUTHORITY (https://login.microsoftonline.com/<tenant>), CLIENT_ID (of the identity), TOKEN_FILE,
# VAULT (https://<name>.vault.azure.net), PAUSE (seconds between tries, 6).
set -eu

text() {
  sed -n "s/.*\"$1\" *: *\"\([A-Za-z0-9._~+\/=-]*\)\".*/\1/p"
}

# https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow (federated credential),
# https://learn.microsoft.com/rest/api/keyvault/secrets/get-secret
ask() {
  form="grant_type=client_credentials&client_id=$CLIENT_ID&scope=https%3A%2F%2Fvault.azure.net%2F.default"
  form="$form&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer"
  token=$(wget -q -T 20 -O - --post-data "$form&client_assertion=$(cat "$TOKEN_FILE")" "$AUTHORITY/oauth2/v2.0/token" |
    text access_token)
  [ -n "$token" ] || { echo "vault: $AUTHORITY gives no token for the identity $CLIENT_ID" >&2; return 1; }
  secret=$(wget -q -T 20 -O - --header "Authorization: Bearer $token" "${VAULT%/}/secrets/$1?api-version=7.4" | text value)
  [ -n "$secret" ] || { echo "vault: $VAULT does not give $1 to the identity $CLIENT_ID" >&2; return 1; }
  printf %s "$secret"
}

# A new role reaches the vault after minutes.
tries=0
until found=$(ask "$1"); do
  tries=$((tries + 1))
  [ "$tries" -lt 20 ] || exit 1
  sleep "${PAUSE:-6}"
done
printf %s "$found"
