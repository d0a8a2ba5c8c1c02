"""The command lines of a control plane's programs: everything on loopback, every admission plugin that AKS has."""

from dataclasses import dataclass
from pathlib import Path

from .programs import Programs

ADMINISTRATOR = '"admin","admin","system:masters"'

AUDITED = "system:serviceaccount:kube-system:audited"
"""The one account whose requests the API server writes down."""

AUDIT_POLICY = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived"],
    "rules": [{"level": "Metadata", "users": [AUDITED]}, {"level": "None"}],
}


@dataclass(frozen=True)
class Ports:
    """Where the programs listen on loopback."""

    etcd: int
    peers: int
    api: int
    controllers: int
    scheduler: int
    kubelet: int


@dataclass(frozen=True)
class Files:
    """What a control plane keeps in its folder."""

    folder: Path

    @property
    def kubeconfig(self) -> Path:
        """For administrators, and for the control plane's own programs."""
        return self.folder / "kubeconfig"

    @property
    def authority(self) -> Path:
        """Certificate that the API server makes itself at its first start, and whoever calls it trusts."""
        return self.folder / "certificates" / "apiserver.crt"

    @property
    def account_key(self) -> Path:
        """Signs the tokens of service accounts."""
        return self.folder / "service-accounts.key"

    @property
    def tokens(self) -> Path:
        """The administrator's token."""
        return self.folder / "tokens.csv"

    @property
    def audit_policy(self) -> Path:
        """Whose requests are written down: those of `AUDITED`."""
        return self.folder / "audit-policy.json"

    @property
    def audit_log(self) -> Path:
        """The requests of `AUDITED`, one JSON document a line, without bodies."""
        return self.folder / "audit.log"

    @property
    def stages(self) -> Path:
        """How simulated nodes, pods and volumes live."""
        return self.folder / "stages.yaml"


def etcd(programs: Programs, files: Files, ports: Ports) -> list[str]:
    """Return etcd's command line. Nothing that it stores has to outlive the machine's power."""
    address, peers = f"http://127.0.0.1:{ports.etcd}", f"http://127.0.0.1:{ports.peers}"
    return [
        programs["etcd"],
        f"--data-dir={files.folder / 'etcd'}",
        f"--listen-client-urls={address}",
        f"--advertise-client-urls={address}",
        f"--listen-peer-urls={peers}",
        f"--initial-advertise-peer-urls={peers}",
        f"--initial-cluster=default={peers}",
        "--unsafe-no-fsync",
        "--log-level=warn",
    ]


def api_server(programs: Programs, files: Files, ports: Ports, services: str) -> list[str]:
    """Return the API server's command line; `services` is the range of the Services' addresses."""
    return [
        programs["kube-apiserver"],
        f"--etcd-servers=http://127.0.0.1:{ports.etcd}",
        "--bind-address=127.0.0.1",
        f"--secure-port={ports.api}",
        f"--cert-dir={files.authority.parent}",
        f"--service-cluster-ip-range={services}",
        "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
        f"--service-account-key-file={files.account_key}",
        f"--service-account-signing-key-file={files.account_key}",
        f"--token-auth-file={files.tokens}",
        "--authorization-mode=Node,RBAC",
        # Otherwise privileged pods fail before Pod Security sees them.
        "--allow-privileged=true",
        # The address on loopback is none that an endpoint may have.
        "--endpoint-reconciler-type=none",
        "--kubelet-preferred-address-types=InternalIP",
        "--max-requests-inflight=2000",
        "--profiling=false",
        f"--audit-policy-file={files.audit_policy}",
        f"--audit-log-path={files.audit_log}",
    ]


def controllers(programs: Programs, files: Files, ports: Ports) -> list[str]:
    """Return the controller manager's command line."""
    return [
        programs["kube-controller-manager"],
        f"--service-account-private-key-file={files.account_key}",
        f"--root-ca-file={files.authority}",
        *_controlling(files, ports.controllers),
    ]


def scheduler(programs: Programs, files: Files, ports: Ports) -> list[str]:
    """Return the scheduler's command line."""
    return [programs["kube-scheduler"], *_controlling(files, ports.scheduler)]


def _controlling(files: Files, port: int) -> list[str]:
    return [
        f"--kubeconfig={files.kubeconfig}",
        "--bind-address=127.0.0.1",
        f"--secure-port={port}",
        "--leader-elect=false",
        # The defaults hold back whoever installs a platform in a minute.
        "--kube-api-qps=500",
        "--kube-api-burst=1000",
    ]


def kwok(programs: Programs, files: Files, ports: Ports) -> list[str]:
    """Return kwok's command line."""
    return [
        programs["kwok"],
        f"--kubeconfig={files.kubeconfig}",
        f"--config={files.stages}",
        "--manage-all-nodes=true",
        "--node-ip=127.0.0.1",
        f"--node-port={ports.kubelet}",
        f"--server-address=127.0.0.1:{ports.kubelet}",
        # The API server asks kubelets by TLS only, whoever signed them.
        f"--tls-cert-file={files.authority}",
        f"--tls-private-key-file={files.authority.with_suffix('.key')}",
        "--node-lease-duration-seconds=40",
    ]
