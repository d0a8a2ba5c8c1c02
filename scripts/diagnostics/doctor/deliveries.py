"""Secrets that do not arrive, certificates that are not issued, releases that hang."""

from collections.abc import Iterable, Iterator
from functools import partial

from scripts.cluster.kubectl import Kubectl
from scripts.cluster.releases import PendingRelease, clear

from .problem import Finding, Problem
from .snapshot import Object, Snapshot, condition, ready, short

PATIENCE_MINUTES = 5
SOON_DAYS = 14

SECRET = Problem(
    id="secret-not-delivered",
    title="A secret of the vault does not arrive in the cluster",
    symptoms=(
        "SecretSyncedError",
        "could not get secret data from provider",
        "CreateContainerConfigError",
        "AADSTS700",
    ),
    why="The secret is not in the vault or was deleted, the vault's firewall refuses, or the identity has no role.",
    fix="`llmctl deploy {ENV} database platform` writes and reads them again; a deleted one: docs/how-to/secrets.md.",
    repairs=True,
)
CERTIFICATE = Problem(
    id="certificate-not-issued",
    title="A certificate is not issued",
    symptoms=(
        "Issuing",
        "DoesNotExist",
        "acme: error: 400",
        "rateLimited",
        "Waiting for HTTP-01 challenge",
        "NXDOMAIN",
    ),
    why="Let's Encrypt does not reach the host, or its limits are used up; the challenge says which.",
    fix="`llmctl domain check {ENV}` shows which host's DNS record or port 80 is wrong. After a limit: wait, or"
    " `ingress.acme_issuer: staging` meanwhile.",
)
LATE = Problem(
    id="certificate-late",
    title="A certificate ends soon and was not renewed",
    symptoms=("NET::ERR_CERT_DATE_INVALID", "certificate has expired", "notAfter"),
    why="cert-manager renews a month before the end; it failed since.",
    fix="`kubectl describe certificate {name} -n {namespace}`, and `llmctl domain check {ENV}`.",
)
PENDING = Problem(
    id="release-pending",
    title="A Helm release is pending",
    symptoms=("another operation (install/upgrade/rollback) is in progress", "pending-upgrade", "pending-install"),
    why="A run that changed it was killed; Helm refuses every other one.",
    fix="`llmctl state unlock-release {ENV} {release}`, then `llmctl deploy {ENV}`.",
    repairs=True,
)


def find(seen: Snapshot) -> Iterator[Finding]:
    """Return what does not arrive."""
    yield from _secrets(seen)
    yield from _certificates(seen)


def _secrets(seen: Snapshot) -> Iterator[Finding]:
    for item in seen.of("externalsecrets.external-secrets.io"):
        meta, state = item["metadata"], condition(item)
        if state.get("status") == "True" or seen.minutes_since(meta.get("creationTimestamp")) < PATIENCE_MINUTES:
            continue
        namespace, name = meta["namespace"], meta["name"]
        event = next(seen.events_of(item, "UpdateFailed"), {})
        said = str(event.get("message") or state.get("message") or "no status yet")
        yield Finding(
            problem=SECRET,
            where=f"{namespace}/{name}",
            detail=short(said),
            repair=partial(_sync, namespace=namespace, name=name),
            deed=f"let External Secrets read {namespace}/{name} again at once",
        )


def _sync(kubectl: Kubectl, namespace: str, name: str) -> str:
    # https://external-secrets.io/latest/introduction/faq: any change of the object is read at once.
    moment = kubectl.run("get", "externalsecrets", name, "-n", namespace, "-o", "jsonpath={.metadata.resourceVersion}")
    kubectl.run("annotate", "externalsecrets", name, "-n", namespace, f"force-sync={moment}", "--overwrite")
    return f"{namespace}/{name} is read again"


def _certificates(seen: Snapshot) -> Iterator[Finding]:
    for item in seen.of("certificates.cert-manager.io"):
        meta, status = item["metadata"], item.get("status") or {}
        where = f"{meta['namespace']}/{meta['name']}"
        ends = status.get("notAfter")
        if not ready(item):
            if seen.minutes_since(meta.get("creationTimestamp")) >= PATIENCE_MINUTES:
                yield Finding(problem=CERTIFICATE, where=where, detail=_why(seen, item))
        elif ends and -seen.minutes_since(ends) / 1440 < SOON_DAYS:
            days = -seen.minutes_since(ends) / 1440
            yield Finding(
                problem=LATE,
                where=where,
                detail=f"{days:.0f} days left",
                values={"name": meta["name"], "namespace": meta["namespace"]},
            )


def _why(seen: Snapshot, certificate: Object) -> str:
    names = set((certificate.get("spec") or {}).get("dnsNames") or [])
    for challenge in seen.of("challenges.acme.cert-manager.io"):
        spec, status = challenge.get("spec") or {}, challenge.get("status") or {}
        if spec.get("dnsName") in names and status.get("reason"):
            return f"{spec['dnsName']}: {' '.join(str(status['reason']).split())[:300]}"
    said = condition(certificate).get("message") or "nothing says why"
    return short(said)


def releases(pending: Iterable[PendingRelease]) -> Iterator[Finding]:
    """Return releases that a killed run left."""
    for release in pending:
        kept = f"revision {release.kept} stays" if release.kept is not None else "nothing of it was ever deployed"
        yield Finding(
            problem=PENDING,
            where=release.path,
            detail=f"{release.status} since {release.since}; {kept}",
            values={"release": release.name},
            repair=partial(_clear, release=release),
            deed=f"while nobody deploys, remove Helm's record of the pending revision of {release.path}",
        )


def _clear(kubectl: Kubectl, release: PendingRelease) -> str:
    clear(kubectl, release)
    return f"{release.path} is free; deploy again"
