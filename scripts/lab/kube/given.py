"""A cluster that somebody else runs: kind, minikube, AKS, reached as its kubeconfig says."""

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from scripts.cli.errors import ExitCode, OperatorError

from .api import Api

_SERVING = re.compile(r"Starting to serve on (\S+)")


@contextmanager
def given(kubeconfig: str) -> Iterator[Api]:
    """Within, requests go to the current context of `kubeconfig`, logged in by kubectl whatever it takes.

    Raises OperatorError where kubectl is missing or refuses the file.
    """
    command = ["kubectl", "--kubeconfig", kubeconfig, "proxy", "--port=0", "--reject-paths=^$"]
    try:
        proxy = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)  # noqa: S603
    except FileNotFoundError:
        raise OperatorError("kubectl is not on PATH", "install kubectl", ExitCode.NOT_READY) from None
    try:
        assert proxy.stdout is not None
        assert proxy.stderr is not None
        match = _SERVING.search(proxy.stdout.readline())
        if match is None:
            raise OperatorError(f"kubectl cannot use {kubeconfig}: {proxy.stderr.read().strip()}", "correct KUBECONFIG")
        yield Api(f"http://{match[1]}")
    finally:
        proxy.terminate()
        proxy.wait()
        for stream in (proxy.stdout, proxy.stderr):
            if stream is not None:
                stream.close()
