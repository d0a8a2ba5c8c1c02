# Ends when every store runs as this release describes it, and says until then which one does not.
# Arguments: namespace, then KIND/NAME=FINGERPRINT for workloads and KIND/NAME for installations of ClickHouse.
# A store that answers proves nothing: during an upgrade the old one answers until its pod is replaced.
set -u
namespace=$1
shift

template='{.spec.template.metadata.annotations.platform/configuration}|{.metadata.generation}|{.status.observedGeneration}'
template="$template|{.spec.replicas}|{.status.updatedReplicas}|{.status.readyReplicas}|{.status.replicas}"
template="$template|{.status.currentRevision}|{.status.updateRevision}"

ask() {
  kubectl --namespace "$namespace" --request-timeout 20s --cache-dir "${TMPDIR:-/tmp}/kubectl" get "$1" -o "jsonpath=$2"
}

# missing STORE: prints what it lacks, nothing when it has settled.
missing() {
  object=${1%%=*}
  case $object in
  clickhouseinstallation/*)
    state=$(ask "$object" '{.status.status}') || { echo "cannot be asked"; return; }
    [ "$state" = Completed ] || echo "is ${state:-not there yet}, not Completed"
    return
    ;;
  esac
  found=$(ask "$object" "$template") || { echo "cannot be asked"; return; }
  IFS='|' read -r fingerprint generation observed wanted updated ready all current update <<END
$found
END
  if [ "$fingerprint" != "${1#*=}" ]; then
    echo "still has the configuration before this one"
  elif [ "$generation" != "$observed" ]; then
    echo "has a change that nobody has begun with"
  elif [ "${wanted:-0}" -eq 0 ]; then
    echo "is scaled to 0"
  elif [ "${updated:-0}" != "$wanted" ] || [ "${ready:-0}" != "$wanted" ] || [ "${all:-0}" != "$wanted" ]; then
    echo "has ${updated:-0} new and ${ready:-0} ready of $wanted pods"
  elif [ "$current" != "$update" ]; then
    echo "is being rolled out"
  fi
}

said=
while :; do
  waiting=
  for store in "$@"; do
    lacks=$(missing "$store")
    if [ -n "$lacks" ]; then waiting="$waiting${waiting:+; }${store%%=*} $lacks"; fi
  done
  if [ -z "$waiting" ]; then break; fi
  if [ "$waiting" != "$said" ]; then echo "waiting: $waiting"; fi
  said=$waiting
  sleep "${SETTLE_POLL_S:-5}"
done
echo "every store has settled"
