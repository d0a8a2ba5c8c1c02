"""The private zone, asked of a real CoreDNS with the files that its chart renders, on loopback."""

import socket
import struct
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from scripts.lab.kube.processes import free_ports
from scripts.lab.names.programs import coredns
from stacks.platform.components.private_dns.release import private_dns
from stacks.settings import parse_settings
from tests.support.cluster.acme import program
from tests.support.kubernetes import rendered
from tests.support.stacks.components import images_of

pytestmark = pytest.mark.cluster

FILE = Path(__file__).parents[1] / "environments" / "valid.private_with_tailscale.yaml"
PATIENCE_S = 60
A, AAAA = 1, 28
NO_ERROR, REFUSED = 0, 5


@pytest.fixture(scope="module")
def nameserver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Run CoreDNS; only ports and folders differ from what is deployed. Gives over its port."""
    folder = tmp_path_factory.mktemp("names")
    settings = parse_settings(FILE.read_text("utf-8"), FILE.name)
    found = rendered.render(
        "private-dns", "private-dns", "private-dns", folder, private_dns(settings, images_of(settings))
    )
    (files,) = (item["data"] for item in found.objects if item["kind"] == "ConfigMap")
    (folder / "zone").write_text(files["zone"])
    names, metrics, health, ready = free_ports(4)
    text = files["Corefile"].replace("/etc/coredns/", f"{folder}/").replace(":5353 {", f":{names} {{")
    for number, port in {9153: metrics, 8080: health, 8181: ready}.items():
        assert f" :{number}" in text
        text = text.replace(f" :{number}", f" 127.0.0.1:{port}")
    (folder / "Corefile").write_text(text)
    with program([str(coredns()), "-conf", str(folder / "Corefile")], folder / "log"):
        _until_it_listens(names, folder / "log")
        yield names


def _until_it_listens(port: int, log: Path) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            assert time.monotonic() < deadline, log.read_text("utf-8")
            time.sleep(0.05)
        else:
            return


def _ask(port: int, name: str, kind: int = A, *, tcp: bool) -> tuple[int, list[str]]:
    """Return the answer's code and its addresses (RFC 1035)."""
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    question = struct.pack(">HHHHHH", 7, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack(">HH", kind, 1)
    with closing(socket.socket(socket.AF_INET, socket.SOCK_STREAM if tcp else socket.SOCK_DGRAM)) as asking:
        asking.settimeout(PATIENCE_S)
        asking.connect(("127.0.0.1", port))
        asking.sendall(struct.pack(">H", len(question)) + question if tcp else question)
        answer = asking.recv(4096)
    answer = answer[2:] if tcp else answer
    code, count = answer[3] & 15, struct.unpack(">H", answer[6:8])[0]
    return code, [socket.inet_ntoa(answer[-4:])] if count else []


@pytest.mark.parametrize("tcp", [False, True], ids=["udp", "tcp"])
@pytest.mark.parametrize(
    ("name", "kind", "answer"),
    [
        ("chat.llm.internal", A, (NO_ERROR, ["10.40.18.4"])),
        ("opik.llm.internal", A, (NO_ERROR, ["10.40.18.4"])),
        ("llm.internal", A, (NO_ERROR, ["10.40.18.4"])),
        ("ns.llm.internal", A, (NO_ERROR, ["10.40.18.5"])),
        ("chat.llm.internal", AAAA, (NO_ERROR, [])),
        ("login.microsoftonline.com", A, (REFUSED, [])),
        ("other.internal", A, (REFUSED, [])),
    ],
)
def test_the_zone_is_answered_and_nothing_else(
    nameserver: int, name: str, kind: int, answer: tuple[int, list[str]], *, tcp: bool
) -> None:
    assert _ask(nameserver, name, kind, tcp=tcp) == answer
