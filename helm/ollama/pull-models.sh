#!/bin/sh
# Brings the models named as arguments into the store at $OLLAMA_MODELS and leaves those that are there.
# CONTEXTS names tags to make of them, each with its context: `llama3.1:8b-16384ctx=16384`, separated by spaces.
# With PRUNE=true, models that are not named are removed. Exits 1 after trying all, naming every model that failed.
set -u
: "${TRIES:=5}" "${PAUSE_SECONDS:=20}" "${PRUNE:=false}" "${TERMINATION_LOG:=/dev/termination-log}"

# A server of this script's own: it needs no GPU, and none has to be started for a download.
export OLLAMA_HOST=127.0.0.1:11434
server_log=$(mktemp)
ollama serve >"$server_log" 2>&1 &
server=$!
trap 'kill "$server" 2>/dev/null' EXIT

say() { printf '%s %s\n' "$(date -u +%H:%M:%S)" "$*"; }

waited=0
until ollama list >/dev/null 2>&1; do
    waited=$((waited + 1))
    if [ "$waited" -gt 60 ] || ! kill -0 "$server" 2>/dev/null; then
        say "the server does not start:"
        tail -n 20 "$server_log"
        echo "ollama serve does not start" >"$TERMINATION_LOG"
        exit 1
    fi
    sleep 1
done

with_tag() { case $1 in *:*) echo "$1" ;; *) echo "$1:latest" ;; esac }

# What /api/tags reports, one name a line.
present() { ollama list | awk 'NR > 1 { print $1 }'; }

# With a digest, the model is there only if the tag stands for that very content. `list` reads no more than its manifest,
# `show` opens the weights: a pull brings what is missing of them.
has() {
    ollama list | awk -v name="$(with_tag "$1")" -v digest="$(echo "${DIGEST:-}" | cut -c1-12)" \
        'NR > 1 && $1 == name && (digest == "" || index($2, digest) == 1) { found = 1 } END { exit !found }' &&
        ollama show "$1" >/dev/null 2>&1
}

# The progress bar redraws itself: one line for every change is enough of a log.
pull() {
    { ollama pull "$1" 2>&1; echo "exit status $?"; } | tr '\r' '\n' | sed 's/\x1b\[[0-9;?]*[A-Za-z]//g' | awk -v model="$1" '
        /^exit status / { status = $3; next }
        { line = $0; sub(/ *[▕▏█░].*/, "", line); sub(/^[ ⠀-⣿]+/, "", line); sub(/[ ⠀-⣿]+$/, "", line) }
        line != "" && line != last { print "  " model ": " line; fflush(); last = line }
        END { exit status + 0 }'
}

# Parts of downloads that were given up: no server clears them away (OLLAMA_NOPRUNE), and no Job runs for a day.
if [ -d "${OLLAMA_MODELS:-}/blobs" ]; then
    find "$OLLAMA_MODELS/blobs" -name '*-partial*' -mmin +1440 -exec rm -f {} + || say "old parts of downloads stay"
fi

failed=""
for model in "$@"; do
    if has "$model"; then
        say "$model is in the store"
        continue
    fi
    try=1
    while :; do
        say "$model: download, try $try of $TRIES"
        if pull "$model" && has "$model"; then
            say "$model is in the store now"
            break
        fi
        if [ "$try" -ge "$TRIES" ]; then
            say "$model: FAILED after $TRIES tries"
            failed="$failed $model"
            break
        fi
        try=$((try + 1))
        sleep "$PAUSE_SECONDS"
    done
done

# A tag with a context of its own shares the weights. Made again each time: what it stands on may have changed.
for made in ${CONTEXTS:-}; do
    tag=${made%=*}
    tokens=${made##*=}
    for model in "$@"; do
        case "$tag" in "$model-${tokens}ctx" | "$model:${tokens}ctx") ;; *) continue ;; esac
        has "$model" || continue
        printf 'FROM %s\nPARAMETER num_ctx %s\n' "$model" "$tokens" >"$server_log.modelfile"
        if DIGEST='' ollama create "$tag" -f "$server_log.modelfile" >"$server_log.create" 2>&1; then
            say "$tag: a context of $tokens tokens"
        else
            tail -n 5 "$server_log.create"
            failed="$failed $tag"
        fi
    done
done

if [ "$PRUNE" = true ] && [ -z "$failed" ]; then
    for model in $(present); do
        wanted=false
        for name in "$@"; do
            [ "$(with_tag "$name")" = "$model" ] && wanted=true
        done
        if [ "$wanted" = false ]; then
            say "$model is not listed: removed"
            ollama rm "$model" || failed="$failed $model"
        fi
    done
fi

if [ -n "$failed" ]; then
    say "not in the store:$failed"
    echo "models that could not be downloaded:$failed" >"$TERMINATION_LOG"
    exit 1
fi
say "all models are in the store"
