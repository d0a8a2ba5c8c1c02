"""`llmctl images prune|scan|verify`: what keeps the images few and sound."""

from typing import Annotated, Any, Literal

import typer

from scripts.cli.options import AsJson, Environment
from scripts.cli.tools import Tools, tools_of
from scripts.cluster.images import images_in
from scripts.core.console import err, out, print_json
from scripts.core.errors import ExitCode, OperatorError
from scripts.core.processes import Processes
from scripts.deployment.image_step import shown
from scripts.deployment.image_step import verify as verify_signatures
from scripts.images.desired import chosen
from scripts.images.environment_images import EnvironmentImages
from scripts.images.lock import locked_images
from scripts.images.prune import superseded
from scripts.images.registry.references import Reference
from scripts.images.verification import Subject, find_scanner, is_clean
from scripts.terraform.outputs import NotDeployedError
from stacks.platform.common.image_lock import lock_file
from stacks.settings import available_environments

from .options import Names, RegistryHost, locked_images_of, open_shop


def prune(
    context: typer.Context,
    *,
    environment: Environment = None,
    image: Names = None,
    registry: RegistryHost = "",
    keep: Annotated[int, typer.Option(min=0, help="Newest versions to keep; 0: images.keep_versions.")] = 0,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Delete; without it, only list.")] = False,
    as_json: AsJson = False,
) -> None:
    """Delete versions that no environment has locked, that its cluster does not name, and that are not the newest.

    Only repositories of images in helm/images.yaml and in lock files are looked at. Exit code 3 when the cluster gives
    no answer, or when there is neither a cluster nor a lock file: then nothing says what is in use.

    Examples: `llmctl images prune prod`, `llmctl images prune prod --keep 3 --yes`
    """
    tools = tools_of(context)
    shop = open_shop(environment, image, registry=registry)
    locks = [shop.locked(), *(locked_images(lock_file(name)) for name in available_environments())]
    # What was locked once and is no longer desired is pruned too, unless only some images are selected.
    mine = set() if image else {entry.repository for entry in shop.locked().values()}
    repositories = shop.repositories | mine
    with locked_images_of(shop, "images prune"), err.status("Reading the registry"):
        running = _running(shop, tools)
        count = keep or shop.settings.images.keep_versions
        old = superseded(shop.registry, repositories, locks, count, running=running)
        if yes:
            for repository, digest in sorted({(version.repository, version.digest) for version in old}):
                shop.registry.delete_manifest(repository, digest)
    if as_json:
        print_json({"deleted": yes, "versions": [f"{v.repository}:{v.tag}@{v.digest}" for v in old]})
        return
    for version in old:
        out.print(f"{version.repository}:{version.tag}  {version.created}", markup=False)
    what = "deleted" if yes else "would be deleted; --yes deletes them"
    err.print(f"{len(old)} versions {what}." if old else "Nothing to prune.")


def _running(shop: EnvironmentImages, tools: Tools) -> frozenset[str]:
    """Return the images that the cluster names; none where there is no cluster but a lock file."""
    name = shop.settings.name
    try:
        kubectl = tools.kubectl_of(name)
    except NotDeployedError as error:
        if shop.locked():
            return frozenset()
        raise OperatorError(
            f"{error.message}, and there is no lock file of its images: nothing says which of them are in use",
            f"`llmctl images ensure {name}` writes the lock file",
            ExitCode.REFUSED,
        ) from None
    except OperatorError as error:
        raise _unknown(error) from None
    try:
        return images_in(kubectl)
    except OperatorError as error:
        raise _unknown(error) from None


def _unknown(error: OperatorError) -> OperatorError:
    return OperatorError(
        f"the cluster does not say which images run, so none is deleted: {error.message}", error.fix, ExitCode.REFUSED
    )


def scan(
    *,
    environment: Environment = None,
    image: Names = None,
    registry: RegistryHost = "",
    severity: Annotated[
        Literal["low", "medium", "high", "critical"], typer.Option(help="Lowest severity that counts.")
    ] = "high",
    as_json: AsJson = False,
) -> None:
    """Scan the locked images with trivy or grype; exit code 1 when one has a vulnerability that has a fix.

    Examples: `llmctl images scan prod`, `llmctl images scan prod --severity critical --json`
    """
    shop = open_shop(environment, None, registry=registry)
    tool = find_scanner()
    locked = chosen(shop.locked(), image or ())
    if not locked:
        raise OperatorError("no image is locked", "run `llmctl images ensure` first", ExitCode.NOT_READY)
    processes = Processes()
    results: list[dict[str, Any]] = []
    with processes.forwarding_signals():
        for name, entry in locked.items():
            reference = Reference(shop.registry.name, entry.repository, digest=entry.digest)
            report = shop.log(f"{name}-scan")
            report.unlink(missing_ok=True)
            subject = Subject(name, reference, shop.registry.login, report, processes)
            with err.status(f"{tool}: {name}"):
                clean = is_clean(tool, subject, severity)
            results.append({"image": name, "clean": clean, "report": shown(report)})
            if not as_json:
                out.print(f"{name}: {'clean' if clean else 'vulnerable, see ' + shown(report)}", markup=False)
    if as_json:
        print_json({"scanner": tool, "severity": severity, "images": results})
    if not all(result["clean"] for result in results):
        raise typer.Exit(ExitCode.FAILED)


def verify(*, environment: Environment = None, registry: RegistryHost = "", as_json: AsJson = False) -> None:
    """Verify with cosign that images.signing_key has signed every locked image; exit code 3 when one is not.

    A deployment does the same before it touches the cluster, with images.verify_signatures in the environment file.

    Examples: `llmctl images verify prod`, `llmctl images verify prod --json`
    """
    shop = open_shop(environment, None, registry=registry)
    count = verify_signatures(shop, Processes())
    if as_json:
        print_json({"key": shop.settings.images.signing_key, "verified": count})
    else:
        err.print(f"{count} images are signed by {shop.settings.images.signing_key}.", markup=False)
