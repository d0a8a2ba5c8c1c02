#!/bin/sh
# Writes a secret of the vault, read as the managed identity that trusts the token of this pod's service account, into a
# file of memory that the next container has, too. By curl: busybox' wget, which that one has, takes a header on its
# command line alone, where everybody on the node reads it, and knows no proxy for HTTPS.
#
# Arguments: <name of the secret>, whose value has letters, digits, dashes and underscores alone, and the file.
# Environment: AUTHORITY (https://login.microsoftonline.com/<tenant>), CLIENT_ID (of the identity), TOKEN_FILE,
# VAULT (https://<name>.vault.azure.net), PAUSE (seconds between tries, 6); proxy and roots as curl takes them.
set -eu
umask 077

text() {
  sed -n "s/.*\"$1\" *: *\"\([A-Za-z0-9._~+\/=-]*\)\".*/\1/p"
}

# https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow (federated credential),
# https://learn.microsoft.com/rest/api/keyvault/secrets/get-secret; neither token is on a command line.
ask() {
  token=$(curl --silent --show-error --max-time 20 --data grant_type=client_credentials \
    --data-urlencode "client_id=$CLIENT_ID" --data-urlencode scope=https://vault.azure.net/.default \
    --data-urlencode client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer \
    --data-urlencode "client_assertion@$TOKEN_FILE" "$AUTHORITY/oauth2/v2.0/token" | text access_token)
  [ -n "$token" ] || { echo "vault: $AUTHORITY gives no token for the identity $CLIENT_ID" >&2; return 1; }
  secret=$(printf 'header = "Authorization: Bearer %s"\n' "$token" |
    curl --silent --show-error --max-time 20 --config - "${VAULT%/}/secrets/$1?api-version=7.4" | text value)
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
printf %s "$found" >"$2"
