"""What a plan takes back of what is deployed is a loss that somebody has to name, or that nobody can agree to."""

from typing import Any

import pytest

from scripts.core.errors import ExitCode, OperatorError
from scripts.deployment.losses import refuse
from scripts.review.changes import Kind
from scripts.review.guard import Allowance, Refusal, check_losses
from scripts.review.plan import Plan, read_plan

OWN = "llmdevacr.azurecr.io"
UPSTREAM = "docker.io/nginx/nginx-ingress:5.5.4"


def digest(character: str) -> str:
    return f"sha256:{character * 64}"


def output(before: Any, after: Any) -> dict[str, Any]:
    return {"actions": ["no-op" if before == after else "update"], "before": before, "after": after}


def images(before: dict[str, str], after: dict[str, str], *, serials: tuple[int, int] = (1, 1)) -> Plan:
    return read_plan({"output_changes": {"images": output(before, after), "images_serial": output(*serials)}})


def one_way(before: dict[str, str], after: dict[str, str]) -> Plan:
    return read_plan({"output_changes": {"one_way": output(before, after)}})


def refusals(stack: str, plan: Plan, *allowances: Allowance) -> list[Refusal]:
    return check_losses({stack: plan.resources}, allowances)[0]


DEPLOYED = f"{OWN}/docker.io/nginx/nginx-ingress:5.5.4@{digest('a')}"


@pytest.mark.parametrize(
    "planned", [UPSTREAM, f"{UPSTREAM}@{digest('a')}", f"{OWN}/docker.io/nginx/nginx-ingress:5.5.4"]
)
def test_a_deployed_digest_that_would_become_a_tag_or_leave_the_registry_is_a_loss(planned: str) -> None:
    plan = images({"nginx-ingress/controller": DEPLOYED}, {"nginx-ingress/controller": planned})
    (refusal,) = refusals("platform", plan)
    assert refusal.address == "images.nginx-ingress/controller"
    assert refusal.why.startswith("would leave the digest in the environment's registry: ")
    assert DEPLOYED in refusal.why


@pytest.mark.parametrize(
    ("deployed", "planned", "serials", "goes_back"),
    [
        ("2.1.30-aaaa", "2.1.23-bbbb", (1, 2), True),  # an older version, locked later
        ("2.1.23-aaaa", "2.1.23-bbbb", (7, 5), True),  # the same version out of an older lock
        ("2.1.23-aaaa", "2.1.23-bbbb", (5, 7), False),
        ("2.1.23-aaaa", "2.1.30-bbbb", (5, 5), False),
        ("v1.99.0", "v1.101.0", (5, 5), False),
    ],
)
def test_an_older_image_is_a_loss_and_a_newer_one_is_not(
    deployed: str, planned: str, serials: tuple[int, int], goes_back: bool
) -> None:
    before = {"opik/backend": f"{OWN}/opik/backend:{deployed}@{digest('a')}"}
    after = {"opik/backend": f"{OWN}/opik/backend:{planned}@{digest('b')}"}
    assert bool(refusals("platform", images(before, after, serials=serials))) is goes_back


def test_images_that_go_with_their_component_or_were_upstream_before_are_no_loss() -> None:
    assert refusals("platform", images({"a/b": DEPLOYED}, {"c/d": UPSTREAM})) == []
    assert refusals("platform", images({"a/b": UPSTREAM}, {"a/b": UPSTREAM.replace("5.5.4", "5.5.3")})) == []


def test_images_of_a_state_that_records_none_are_read_from_what_runs_them() -> None:
    """An environment that an earlier release deployed, planned from a checkout without its lock file."""
    release = {
        "address": "helm_release.opik",
        "type": "helm_release",
        "change": {
            "actions": ["update"],
            "before": {"values": [f"image: {OWN}/opik/backend:2.1.23@{digest('a')}"]},
            "after": {"values": ["image: ghcr.io/comet-ml/opik/opik-backend:2.1.23"]},
        },
    }
    plan = read_plan({"resource_changes": [release], "output_changes": {"images": output(None, {"opik/backend": "x"})}})
    (refusal,) = refusals("platform", plan)
    assert refusal.why == f"would leave the digests in {OWN}, which are deployed"


def test_one_consent_covers_all_images_and_one_of_them() -> None:
    plan = images({"a/b": DEPLOYED, "c/d": DEPLOYED}, {"a/b": UPSTREAM, "c/d": UPSTREAM})
    assert len(refusals("platform", plan)) == 2
    assert refusals("platform", plan, Allowance("platform", "images")) == []
    assert [it.address for it in refusals("platform", plan, Allowance("platform", "images.a/b"))] == ["images.c/d"]


def test_what_azure_refuses_nobody_can_agree_to() -> None:
    plan = one_way({"disks.mysql_gib": "64"}, {"disks.mysql_gib": "32"})
    (refusal,) = refusals("disks", plan, Allowance("disks", "disks.mysql_gib"))
    assert refusal.final
    assert refusal.why == "cannot shrink from 64: disks only grow; write 64"
    with pytest.raises(OperatorError, match=r"disks\.mysql_gib: cannot shrink from 64") as caught:
        refuse("dev", [refusal])
    assert caught.value.code is ExitCode.REFUSED
    assert "--allow" not in caught.value.fix
    assert "environments/dev.yaml" in caught.value.fix


def test_a_migrated_version_is_refused_by_name_and_can_be_agreed_to() -> None:
    plan = one_way({"versions.litellm": "v1.101.0"}, {"versions.litellm": "v1.99.0"})
    (refusal,) = refusals("database", plan)
    with pytest.raises(OperatorError, match=r"versions\.litellm: cannot go back from v1\.101\.0: LiteLLM") as caught:
        refuse("dev", [refusal])
    assert "--allow database/versions.litellm" in caught.value.fix
    assert refusals("database", plan, Allowance("database", "versions.litellm")) == []


def test_eighteen_images_are_one_sentence() -> None:
    names = [f"release{number:02}/image" for number in range(18)]
    plan = images(dict.fromkeys(names, DEPLOYED), dict.fromkeys(names, UPSTREAM))
    with pytest.raises(OperatorError) as caught:
        refuse("dev", refusals("platform", plan))
    assert caught.value.message.startswith("platform: release00/image, release01/image, release02/image and 15 more: ")
    assert caught.value.fix.endswith("or here: --allow platform/images")


def test_what_goes_back_is_no_resource_that_is_counted() -> None:
    plan = one_way({"disks.mysql_gib": "64"}, {"disks.mysql_gib": "32"})
    assert str(plan.changes) == "1 output to change"
    assert plan.lost == ()
    assert [change.kind for change in plan.back] == [Kind.BACK]


def test_destroying_a_stack_takes_nothing_back() -> None:
    gone = {
        "one_way": output({"monitoring.prometheus_disk_gib": "64"}, None),
        "images": output({"a/b": DEPLOYED}, None),
    }
    assert read_plan({"output_changes": gone}).back == ()
