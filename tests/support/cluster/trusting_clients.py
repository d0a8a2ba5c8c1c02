"""Programs of people that are given the root of an internal CA, each in its own way, and ask one host by HTTPS."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

_PYTHON = """import socket, ssl, sys
authority, host, port = sys.argv[1:]
context = ssl.create_default_context(cafile=authority)
with context.wrap_socket(socket.create_connection(("127.0.0.1", int(port))), server_hostname=host) as tls:
    tls.sendall(f"GET / HTTP/1.0\\r\\nHost: {host}\\r\\n\\r\\n".encode())
    print(tls.makefile().readline().split()[1])
"""
_NODE = """const [authority, host, port] = process.argv.slice(1);
const asked = {host: "127.0.0.1", port, servername: host, headers: {host}, ca: require("fs").readFileSync(authority)};
require("https").get(asked, answer => { console.log(answer.statusCode); answer.resume(); });
"""
_JAVA = """import java.net.URI;
import java.net.http.*;
public class Ask {
  public static void main(String[] given) throws Exception {
    var asked = HttpRequest.newBuilder(URI.create("https://" + given[0] + ":" + given[1] + "/")).build();
    System.out.println(HttpClient.newHttpClient().send(asked, HttpResponse.BodyHandlers.discarding()).statusCode());
  }
}
"""
_PASSWORD = "changeit"


def statuses(authority: Path, host: str, port: int) -> Iterator[tuple[str, int]]:
    """Yield each program with the HTTP status that it got; 0 where it did not trust the answer."""
    for program, command in _commands(authority, host, port):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        said = done.stdout.strip()
        yield program, int(said) if done.returncode == 0 and said.isdigit() else 0


def _commands(authority: Path, host: str, port: int) -> Iterator[tuple[str, list[str]]]:
    place = [str(authority), host, str(port)]
    shown = ["--output", os.devnull, "--write-out", "%{http_code}"]
    url = f"https://{host}:{port}/"
    curl = ["curl", "--silent", *shown, "--cacert", str(authority), "--resolve", f"{host}:{port}:127.0.0.1", url]
    yield "curl", curl
    # OpenSSL's own client prints no status; what it says of the chain stands for it.
    verified = (
        f"openssl s_client -connect 127.0.0.1:{port} -servername {host} -verify_hostname {host} -CAfile {authority}"
    )
    yield "openssl", ["sh", "-c", f"{verified} -verify_return_error </dev/null >/dev/null 2>&1 && echo 200"]
    yield "python", [sys.executable, "-c", _PYTHON, *place]
    yield "node", ["node", "-e", _NODE, *place]
    if shutil.which("javac") or os.environ.get("CI") == "true":
        yield "java", _java(authority, host, port)


def _java(authority: Path, host: str, port: int) -> list[str]:
    """Java looks names up in a file of ours, and trusts a store with the root alone."""
    folder = authority.parent
    store, names, source = folder / "roots.p12", folder / "hosts", folder / "Ask.java"
    if not store.exists():
        imported = ["keytool", "-importcert", "-noprompt", "-alias", "root", "-file", str(authority)]
        kept = ["-keystore", str(store), "-storetype", "PKCS12", "-storepass", _PASSWORD]
        subprocess.run([*imported, *kept], check=True, capture_output=True)
    names.write_text(f"127.0.0.1 {host}\n")
    source.write_text(_JAVA)
    options = {
        "javax.net.ssl.trustStore": str(store),
        "javax.net.ssl.trustStorePassword": _PASSWORD,
        "jdk.net.hosts.file": str(names),
    }
    return ["java", *(f"-D{name}={value}" for name, value in options.items()), str(source), host, str(port)]


def plain_location(host: str, port: int) -> str:
    """Return where the host sends a request by plain HTTP; empty where nowhere."""
    asked = ["--output", os.devnull, "--write-out", json.dumps("%{redirect_url}")]
    command = ["curl", "--silent", *asked, "--header", f"Host: {host}", f"http://127.0.0.1:{port}/"]
    return str(json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout))
