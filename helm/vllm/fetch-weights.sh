#!/bin/sh
# Brings the weights of a Hugging Face repository (first argument) at a revision (second) into $HF_HOME.
set -eu
exec python3 "$(dirname "$0")/fetch_weights.py" "$@"
