"""Secrets in which Helm keeps the revisions of a release, in the real format."""

import base64
import gzip
import json
from typing import Any


def revision(number: int, version: str, status: str, description: str = "") -> dict[str, Any]:
    """Return the Secret of one revision of `opik`, as `kubectl get secret -o json` prints it."""
    release = {
        "name": "opik",
        "version": number,
        "namespace": "opik",
        "info": {"status": status, "description": description, "last_deployed": "2026-11-21T10:00:00Z"},
        "chart": {"metadata": {"name": "opik", "version": version, "appVersion": version}},
        "config": {},
        "manifest": "---\n",
    }
    stored = base64.b64encode(gzip.compress(json.dumps(release).encode()))
    return {
        "kind": "Secret",
        "type": "helm.sh/release.v1",
        "metadata": {
            "name": f"sh.helm.release.v1.opik.v{number}",
            "labels": {"name": "opik", "owner": "helm", "status": status, "version": str(number)},
        },
        "data": {"release": base64.b64encode(stored).decode()},
    }
