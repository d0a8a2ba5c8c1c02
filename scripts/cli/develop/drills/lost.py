"""Something is gone: the cluster, a resource group, the state of a stack."""

from collections.abc import Callable, Iterator
from pathlib import Path

from scripts.core.consent import Consent
from scripts.core.targets import Targets
from scripts.core.tiers import DISPOSABLE
from scripts.deployment.bring_up import bring_up
from scripts.lab.drills.base import Finding, Play, Size
from scripts.lab.drills.recovery import Recovery
from scripts.lab.drills.stage import Stage
from scripts.lab.drills.watched import watched
from scripts.lab.rehearsal.cloud import Cloud, CloudObject
from scripts.review.changes import Kind
from scripts.terraform.prepare import Job

_CLUSTER = "azurerm_kubernetes_cluster"
_RELEASE = "helm_release"


def deployed(stage: Stage) -> Recovery:
    """Do `llmctl deploy ENV --yes --allow-destroy` until it ends well, which it has to at once."""
    name = stage.settings.name
    job = Job("deploy", Targets(name, stage.stacks), stage.rehearsal.workspace)
    with stage.rollout(job) as run:
        if not bring_up(run, job.targets, Consent(name, yes=True, allow_destroy=True)):
            return Recovery(runs=1, unexplained=["the deployment failed"])
    return Recovery(runs=1)


def cluster_gone(stage: Stage, _size: Size) -> Iterator[Finding]:
    """Delete the cluster, with what is attached to it and all that ran in it; deploy."""
    if "platform" not in stage.stacks:
        return

    def gone() -> Recovery:
        delete_cluster(stage.cloud())
        return deployed(stage)

    yield watched(stage, "the cluster, and all that ran in it", gone, *DISPOSABLE)


def group_gone(stage: Stage, size: Size) -> Iterator[Finding]:
    """Delete each resource group of the disposable tier with all that is in it; deploy."""
    groups = [it for it in stage.cloud().objects("azurerm_resource_group") if it.stack in DISPOSABLE]
    for group in size.some(groups):

        def gone(group: CloudObject = group) -> Recovery:
            cloud = stage.cloud()
            for cluster in cloud.objects(_CLUSTER):
                if cluster.id.startswith(group.id):
                    _delete(cloud, cluster)
            _delete(cloud, group)
            return deployed(stage)

        yield watched(stage, f"the group {group.state['name']}, and all that was in it", gone, *DISPOSABLE)


def delete_cluster(cloud: Cloud) -> None:
    """Delete the cluster, what is attached to it and what ran in it."""
    for cluster in cloud.objects(_CLUSTER):
        _delete(cloud, cluster)


def _delete(cloud: Cloud, found: CloudObject) -> None:
    inside = cloud.within(found.state["fqdn"]) if found.type == _CLUSTER else []
    # What is attached to something has an id that begins with its id.
    attached = [it for it in cloud.objects() if it.id.lower().startswith(found.id.lower())]
    cloud.delete(found.key, *(it.key for it in (*attached, *inside)))


def _removed(state: Path) -> None:
    state.unlink()


def _emptied(state: Path) -> None:
    """Leave what Terraform leaves when it is killed between emptying the file and writing it."""
    state.with_name(f"{state.name}.backup").write_bytes(state.read_bytes())
    state.write_bytes(b"")


def _cut(state: Path) -> None:
    """Leave what Terraform leaves when it is killed while it writes."""
    whole = state.read_bytes()
    state.write_bytes(whole[: len(whole) // 2])


def state_lost(what: str, lose: Callable[[Path], None], seen: str) -> Play:
    """Return what loses the state of each stack in turn, and adopts what exists; `seen` is what a deployment says."""

    def play(stage: Stage, size: Size) -> Iterator[Finding]:
        for stack in size.of(stage):

            def lost(stack: str = stack) -> Recovery:
                before, outputs = stage.rehearsal.instances(stack).keys(), stage.rehearsal.outputs(stack)
                lose(stage.rehearsal.state_file(stack))
                recovery = Recovery()
                if seen:
                    said = " ".join(error.output for error in stage.deploy(stack).failures.values())
                    if seen not in " ".join(said.split()):
                        recovery.unexplained.append(f"a deployment does not say: {seen}")
                recovery.taken_over += stage.adopt(stage, stack)
                if stage.has(stack, _RELEASE):
                    recovery.unexplained += _upgraded_once(stage, stack)
                if (now := stage.rehearsal.instances(stack).keys()) != before:
                    recovery.unexplained.append(f"not as before: {', '.join(sorted(now ^ before))}")
                if stage.rehearsal.outputs(stack) != outputs:
                    recovery.unexplained.append("the outputs are others")
                return recovery

            yield watched(stage, f"{stack}: its state {what}", lost, stack)

    return play


def _upgraded_once(stage: Stage, stack: str) -> list[str]:
    """Deploy after an adoption; return what that changed beside the releases, of which Helm tells no values."""
    changes = stage.deploy(stack).plans[stack].resources
    return [
        f"{change.kind.value} {change.address}"
        for change in changes
        if (change.type, change.kind) != (_RELEASE, Kind.UPDATE)
    ]


removed = state_lost("is gone", _removed, "")
emptied = state_lost("is empty", _emptied, "is cut off")
cut = state_lost("is cut off", _cut, "is cut off")
