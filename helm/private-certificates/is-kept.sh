#!/bin/sh
# Ends once the vault has the internal CA: a cluster that goes before that takes the CA with it, and every client that
# installed its root would have to install another one.
# KEPT: NAMESPACE/pushsecrets/NAME of the PushSecret. PAUSE: seconds between two looks.
set -eu

account=${ACCOUNT:-/var/run/secrets/kubernetes.io/serviceaccount}
api=${API:-https://$KUBERNETES_SERVICE_HOST:$KUBERNETES_SERVICE_PORT_HTTPS}
url=$api/apis/external-secrets.io/v1alpha1/namespaces/$KEPT

# The token is a secret and not printed, nor on a command line.
look() {
  printf 'header = "Authorization: Bearer %s"\n' "$(cat "$account/token")" |
    curl --config - --silent --show-error --fail --cacert "$account/ca.crt" --max-time 30 --retry 10 --retry-connrefused \
      --retry-max-time 120 "$url"
}

last=""
while :; do
  # The API's keys are in the order of the alphabet; what follows status is the type of the condition.
  found=$(look | tr -d '\n')
  case $(echo "$found" | tr -d ' ') in
    *'"status":"True","type":"Ready"'*) echo "the vault has the internal CA" && exit 0 ;;
  esac
  now=$(echo "$found" | sed -n 's/.*"message": *"\([^"]*\)".*/\1/p')
  if [ "$now" != "$last" ]; then
    echo "not yet: $now"
    last=$now
  fi
  sleep "${PAUSE:-5}"
done
