#!/bin/sh
# Creates the Secrets that the vault has kept, in namespaces where they are missing. One that exists stays as it is: the
# API refuses to create it again, so that no newer certificate is ever replaced.
# FILES: a file NAMESPACE_SECRET for each, the Secret as JSON; empty where nothing is kept yet.
set -eu

files=${FILES:-/kept}
account=${ACCOUNT:-/var/run/secrets/kubernetes.io/serviceaccount}
api=${API:-https://$KUBERNETES_SERVICE_HOST:$KUBERNETES_SERVICE_PORT_HTTPS}
failed=0
for file in "$files"/*_*; do
  name=${file##*/}
  if [ ! -s "$file" ]; then
    echo "$name: nothing is kept"
    continue
  fi
  # The answer holds the key, and the token is a secret: neither is printed, nor on a command line.
  status=$(printf 'header = "Authorization: Bearer %s"\n' "$(cat "$account/token")" |
    curl --config - --silent --show-error --output /dev/null --write-out '%{http_code}' --cacert "$account/ca.crt" \
      --max-time 30 --retry 10 --retry-connrefused --retry-max-time 120 \
      --header 'Content-Type: application/json' --data-binary "@$file" "$api/api/v1/namespaces/${name%%_*}/secrets") ||
    status="no answer"
  case $status in
    201) echo "$name: brought back" ;;
    409) echo "$name: is there" ;;
    *) echo "$name: the API refuses it: $status" >&2 && failed=1 ;;
  esac
done
exit "$failed"
