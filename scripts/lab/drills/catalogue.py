"""Every drill, by name."""

from . import away
from .base import Drill
from .certificates import certificate_limits
from .each_resource import answer_lost, failing, slow, throttled
from .killed import killed
from .two_operators import two_operators

_AGAIN = "llmctl deploy ENV"
_ADOPT = "terraform import ADDRESS ID"

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
