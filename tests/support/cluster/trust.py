"""trust-manager beside a real Kubernetes API, and programs that are given what a pod of it would be given."""

import base64
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from scripts.lab.kube.api import Object
from scripts.lab.kube.processes import free_ports
from scripts.lab.trust.programs import trust_manager
from stacks.platform.common.catalogue import images
from stacks.platform.components.trust import release
from tests.support.cluster.acme import program
from tests.support.web_servers import authority, certificate_for

_HERE = """import socket, sys
url, known = sys.argv[1], socket.getaddrinfo
socket.getaddrinfo = lambda host, port, *more, **named: known("127.0.0.1", port, *more, **named)
"""
_PYTHON = {
    "ssl": f"{_HERE}import urllib.request; print(urllib.request.urlopen(url).status)",
    "requests": f"{_HERE}import requests; print(requests.get(url).status_code)",
    "httpx": f"{_HERE}import httpx; print(httpx.get(url).status_code)",
}
_NODE = """const here = {address: "127.0.0.1", family: 4};
const lookup = (name, options, done) => options.all ? done(null, [here]) : done(null, here.address, here.family);
require("https").get(process.argv[1], {lookup}, answer => { console.log(answer.statusCode); answer.resume(); });
"""
_JAVA = """import java.net.URI;
import java.net.http.*;
public class Ask {
  public static void main(String[] given) throws Exception {
    var asked = HttpRequest.newBuilder(URI.create(given[0])).build();
    System.out.println(HttpClient.newHttpClient().send(asked, HttpResponse.BodyHandlers.discarding()).statusCode());
  }
}
"""


@contextmanager
def running_trust_manager(kubeconfig: Path, folder: Path) -> Iterator[None]:
    """Run it with the namespace of its sources that the stack gives it."""
    folder.mkdir()
    certificate_for(folder, authority(folder, "webhook"), "localhost")
    (folder / "localhost.pem").rename(folder / "tls.crt")
    (folder / "localhost.key").rename(folder / "tls.key")
    webhook, metrics, ready = free_ports(3)
    sources = release.trust_manager(images())["app"]["trust"]["namespace"]
    given = {
        "kubeconfig": kubeconfig,
        "trust-namespace": sources,
        "leader-elect": "false",
        "webhook-certificate-dir": folder,
        "webhook-host": "127.0.0.1",
        "webhook-port": webhook,
        "metrics-port": metrics,
        "readiness-probe-port": ready,
    }
    with program([str(trust_manager()), *(f"--{key}={value}" for key, value in given.items())], folder / "log"):
        yield


def files_of(config_map: Object, folder: Path) -> None:
    """Write what a ConfigMap holds into a folder, as the kubelet does."""
    folder.mkdir(exist_ok=True)
    for name, text in config_map.get("data", {}).items():
        (folder / name).write_text(text)
    for name, value in config_map.get("binaryData", {}).items():
        (folder / name).write_bytes(base64.b64decode(value))


def statuses(url: str, given: Mapping[str, str], folder: Path) -> dict[str, str]:
    """Return what programs get that know of no root but by a container's variables: a status, or why not.

    Every name is this machine.
    """
    source = folder / "Ask.java"
    source.write_text(_JAVA)
    host, _, port = url.removeprefix("https://").rstrip("/").partition(":")
    (folder / "hosts").write_text(f"127.0.0.1 {host}\n")
    shown = ["--silent", "--show-error", "--output", "/dev/null", "--write-out", "%{http_code}"]
    commands = {
        "curl": ["curl", *shown, "--resolve", f"{host}:{port}:127.0.0.1", url],
        "node": ["node", "-e", _NODE, url],
        **{name: [sys.executable, "-c", text, url] for name, text in _PYTHON.items()},
    }
    if shutil.which("javac") or os.environ.get("CI") == "true":
        commands["java"] = ["java", f"-Djdk.net.hosts.file={folder / 'hosts'}", str(source), url]
    found = {}
    for name, command in commands.items():
        environment = {"PATH": os.environ["PATH"], "HOME": str(folder), **given}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        found[name] = done.stdout.strip() if done.returncode == 0 else f"refused: {done.stderr.strip()[-300:]}"
    return found
