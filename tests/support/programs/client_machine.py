"""A computer of somebody who uses the platform: a Debian of its own, in a network namespace of its own.

Linux and root, inside of `pod_network`: servers are there, the client is at the other end of a cable. Whatever the
client changes on its disk is gone at the end; the Debian below it stays as it is.
"""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.programs.processes import LIVE

DEBIAN_CLIENT = LIVE / "debian-client-trixie"
"""Root folder with curl, Python, Node and Java, by `scripts/lab/install-live client`."""
HERE, THERE = "cable-server", "cable-client"


@dataclass
class ClientMachine:
    """Runs commands as on that computer."""

    root: Path
    process: int

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command in its own shell after a login, so that it has the variables of one."""
        inside = ["nsenter", "--target", str(self.process), "--net", "--mount", "chroot", str(self.root)]
        variables = ["env", "-i", "HOME=/srv", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]
        shell = ["sh", "-c", '. /etc/profile; cd /srv; exec "$@"', "sh"]
        return subprocess.run(
            [*inside, *variables, *shell, *command],
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )

    def files(self) -> dict[str, str]:
        """Every file of its disk that an installation may touch, with a sum of its content."""
        find = "find /etc /srv /usr/local /usr/share/ca-certificates /var/lib -xdev"
        listed = self.run(
            "sh", "-c", f"{find} -type f -exec sha256sum {{}} + ; {find} ! -type f -printf '%y %l  %p\\n'"
        )
        assert listed.returncode == 0, listed.stderr
        return {line.split("  ", 1)[1]: line.split("  ", 1)[0] for line in listed.stdout.splitlines()}


@contextmanager
def client_machine(folder: Path, *, servers: list[str], client: str, nameserver: str) -> Iterator[ClientMachine]:
    """Connect a client with the address `client` to this network, which gets the addresses `servers` (one /24)."""
    (folder / "disk").mkdir()
    (folder / "resolv.conf").write_text(f"nameserver {nameserver}\n")
    layers = f"lowerdir={DEBIAN_CLIENT},upperdir={folder}/disk/upper,workdir={folder}/disk/work"
    root = folder / "disk" / "root"
    mounts = " && ".join(
        (
            f"mount -t tmpfs tmpfs {folder}/disk",
            f"mkdir {folder}/disk/upper {folder}/disk/work {root}",
            f"mount -t overlay overlay -o {layers} {root}",
            f"mount -t proc proc {root}/proc",
            f"mount --rbind /dev {root}/dev",
            f"cp {folder}/resolv.conf {root}/etc/resolv.conf",
            "ip link set lo up",
            "echo ready",
            "exec sleep infinity",
        )
    )
    _run("ip", "link", "add", HERE, "type", "veth", "peer", "name", THERE)
    holder = subprocess.Popen(
        ["unshare", "--net", "--mount", "--propagation", "private", "sh", "-c", mounts], stdout=subprocess.PIPE
    )
    try:
        assert holder.stdout
        assert holder.stdout.readline() == b"ready\n"
        _run("ip", "link", "set", THERE, "netns", str(holder.pid))
        for address in servers:
            _run("ip", "address", "add", f"{address}/24", "dev", HERE)
        _run("ip", "link", "set", HERE, "up")
        inside = ("nsenter", "--target", str(holder.pid), "--net")
        _run(*inside, "ip", "address", "add", f"{client}/24", "dev", THERE)
        _run(*inside, "ip", "link", "set", THERE, "up")
        yield ClientMachine(root, holder.pid)
    finally:
        holder.kill()
        holder.wait()
        subprocess.run(["ip", "link", "delete", HERE], check=False, capture_output=True)


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)
