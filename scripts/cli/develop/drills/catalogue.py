"""Every drill, by name."""

from scripts.lab.drills import away
from scripts.lab.drills.base import Drill, one_after_the_other
from scripts.lab.drills.certificates import certificate_limits
from scripts.lab.drills.each_resource import answer_lost, failing, slow, throttled
from scripts.lab.drills.killed import killed
from scripts.lab.drills.two_operators import two_operators

from . import full, lost, restored

_AGAIN = "llmctl deploy ENV"
_ADOPT = "llmctl state adopt ENV STACK"

DRILLS = (
    Drill(
        name="killed",
        happened="The machine that ran a deployment was switched off in the middle of it",
        typed=(_AGAIN, _ADOPT),
        seen="it exists already, from an interrupted run or made by hand; take it over with",
        play=killed,
    ),
    Drill(
        name="two-operators",
        happened="Two people deployed at the same time",
        typed=(_AGAIN,),
        seen="Error acquiring the state lock",
        play=two_operators,
    ),
    Drill(
        name="failing",
        happened="Azure refused a resource that it accepts a minute later",
        typed=(_AGAIN,),
        seen="What is done stays done. After the fix: `llmctl deploy ENV`",
        play=failing,
    ),
    Drill(
        name="throttled",
        happened="Azure throttled the deployment",
        typed=(),
        seen="nothing but a longer wait",
        play=throttled,
    ),
    Drill(
        name="slow",
        happened="A resource took far longer than usual",
        typed=(),
        seen="nothing but a longer wait",
        play=slow,
    ),
    Drill(
        name="answer-lost",
        happened="Azure made a resource, but its answer was lost",
        typed=(_ADOPT, _AGAIN),
        seen="it exists already, from an interrupted run or made by hand; take it over with",
        play=answer_lost,
    ),
    Drill(
        name="cluster-gone",
        happened="Somebody deleted the cluster outside Terraform",
        typed=(_AGAIN,),
        seen="The cluster is gone, and what ran in it with it",
        play=lost.cluster_gone,
        proven_by=("tests/rehearsal/test_drills_whole.py",),
    ),
    Drill(
        name="group-gone",
        happened="Somebody deleted the resource group of the network or of the cluster",
        typed=(_AGAIN,),
        seen="would be destroyed or replaced",
        play=lost.group_gone,
        proven_by=("tests/rehearsal/test_drills_whole.py",),
    ),
    Drill(
        name="state-lost",
        happened="The state of a stack is gone",
        typed=(_ADOPT, "llmctl diff ENV"),
        seen="imported, 0 not",
        play=lost.removed,
        proven_by=("tests/rehearsal/test_rehearsal_adopt.py",),
    ),
    Drill(
        name="state-cut",
        happened="A run was killed while it wrote its state",
        typed=(_ADOPT, _AGAIN),
        seen="is cut off",
        play=one_after_the_other(lost.cut, lost.emptied),
    ),
    Drill(
        name="restore",
        happened="Data has to go back to an earlier time",
        typed=("llmctl restore ENV SET", "llmctl db restore ENV --to TIME", "llmctl restore ENV --abort"),
        seen="What was written since is then only in the old one, which stays",
        play=restored.restore,
        proven_by=("tests/rehearsal/test_rehearsal_restore.py", "tests/rehearsal/test_rehearsal_disks.py"),
    ),
    Drill(
        name="disk-full",
        happened="A data disk is full",
        typed=("llmctl disks grow DISK SIZE ENV",),
        seen="Stopping",
        play=full.disk_full,
        proven_by=("tests/live/test_cluster_disks.py",),
    ),
    Drill(
        name="login-expired",
        happened="The login expired half-way through a deployment",
        typed=("az login", _AGAIN),
        seen="ExpiredAuthenticationToken",
        play=away.expired,
    ),
    Drill(
        name="registry-away",
        happened="The registry did not answer while it was needed",
        typed=(_AGAIN,),
        seen="ServiceUnavailable",
        play=away.registry,
    ),
    Drill(
        name="vault-away",
        happened="The Key Vault did not answer while it was needed",
        typed=(_AGAIN,),
        seen="ServiceUnavailable",
        play=away.vault,
    ),
    Drill(
        name="entra-away",
        happened="Entra did not answer while it was needed",
        typed=(_AGAIN,),
        seen="ServiceUnavailable",
        play=away.entra,
    ),
    Drill(
        name="spot-gone",
        happened="Azure had no spot capacity for a GPU pool",
        typed=(_AGAIN,),
        seen="AllocationFailed",
        play=away.spot,
    ),
    Drill(
        name="certificate-limits",
        happened="The cluster was deleted and made again several times within a week",
        typed=(_AGAIN, "llmctl status ENV"),
        seen="too many certificates (5) already issued",
        play=certificate_limits,
        proven_by=("tests/live/test_cluster_certificates.py",),
    ),
    Drill(
        name="zone-gone",
        happened="A zone had no capacity for a node pool",
        typed=(_AGAIN,),
        seen="ZonalAllocationFailed",
        play=away.zone,
    ),
)


def drill(name: str) -> Drill | None:
    """Return the drill of this name."""
    return next((found for found in DRILLS if found.name == name), None)
