"""A cluster that somebody else runs: kind, minikube, AKS, reached as its kubeconfig says."""

import base64
import re
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from scripts.core.errors import ExitCode, OperatorError

from .api import Api

_SERVING = re.compile(r"Starting to serve on (\S+)")


@contextmanager
def given(kubeconfig: str) -> Iterator[Api]:
    """Within, requests go to the current context of `kubeconfig`.

    Tokens and client certificates are used as they stand; where a program has to log in, kubectl does it. Raises
    OperatorError for a file that cannot be used, and where kubectl is needed and missing.
    """
    cluster, user = _context(Path(kubeconfig))
    if not {"token", "client-certificate", "client-certificate-data"} & user.keys():
        with _proxied(kubeconfig) as api:
            yield api
        return
    with tempfile.TemporaryDirectory() as folder:

        def file(entry: Mapping[str, Any], key: str) -> str:
            if f"{key}-data" not in entry:
                return str(entry.get(key, ""))
            path = Path(folder) / key
            path.write_bytes(base64.b64decode(entry[f"{key}-data"]))
            path.chmod(0o600)
            return str(path)

        yield Api(
            cluster["server"],
            token=user.get("token", ""),
            authority=file(cluster, "certificate-authority"),
            certificate=(file(user, "client-certificate"), file(user, "client-key")),
        )


def _context(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    try:
        content = YAML(typ="safe").load(path)
        (context,) = (item["context"] for item in content["contexts"] if item["name"] == content["current-context"])
        (cluster,) = (item["cluster"] for item in content["clusters"] if item["name"] == context["cluster"])
        (user,) = (item["user"] for item in content["users"] if item["name"] == context["user"])
    except (OSError, YAMLError, TypeError, KeyError, ValueError) as error:
        raise OperatorError(
            f"KUBECONFIG={path} names no cluster and user that can be used: {error}",
            "name one file with a current context, or unset KUBECONFIG",
            ExitCode.NOT_READY,
        ) from None
    return cluster, user


@contextmanager
def _proxied(kubeconfig: str) -> Iterator[Api]:
    command = ["kubectl", "--kubeconfig", kubeconfig, "proxy", "--port=0", "--reject-paths=^$"]
    try:
        proxy = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)  # noqa: S603
    except FileNotFoundError:
        raise OperatorError("kubectl is not on PATH", "install kubectl", ExitCode.NOT_READY) from None
    with proxy:
        try:
            assert proxy.stdout is not None
            assert proxy.stderr is not None
            match = _SERVING.search(proxy.stdout.readline())
            if match is None:
                reason = proxy.stderr.read().strip()
                raise OperatorError(f"kubectl cannot use {kubeconfig}: {reason}", "correct KUBECONFIG")
            yield Api(f"http://{match[1]}")
        finally:
            proxy.terminate()
