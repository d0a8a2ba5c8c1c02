"""What cannot be brought back is agreed to by name, in a file until a day, and comes first in every form."""

from pathlib import Path
from typing import Any

import pytest

from scripts.review.changes import Kind, ResourceChange
from scripts.review.guard import Allowance, AllowanceError, check_losses, load_allowances, named
from tests.support.review.plans import GPU_POOL, TODAY, changed, plan, reviewed, shown


@pytest.mark.parametrize(
    ("stack", "resource", "why"),
    [
        ("disks", changed("azurerm_role_assignment.x", {}, None, "delete"), "durable"),
        ("database", changed("azurerm_key_vault.x", {"l": 1}, {"l": 2}, "delete", "create"), "durable"),
        ("acr", changed("azurerm_container_registry.x", {}, None, "forget"), "durable"),
        ("aks", changed("azurerm_kubernetes_cluster.c", {}, {}, "create", "delete"), "cluster"),
        ("aks", changed("azurerm_kubernetes_cluster_node_pool.t4", GPU_POOL, None, "delete"), "models run"),
    ],
)
def test_what_cannot_be_brought_back_needs_a_word(stack: str, resource: dict[str, Any], why: str) -> None:
    found = reviewed(**{stack: plan(resource)})
    (refusal,) = found.refusals
    assert why in refusal.why
    assert (refusal.stack, refusal.address) == (stack, resource["address"])
    assert all("refused" in form for form in shown(found)[:2])
    for allowance in (named(resource["address"]), named(f"{stack}/{resource['address']}")):
        assert reviewed(allowance, **{stack: plan(resource)}).refusals == ()


@pytest.mark.parametrize(
    ("stack", "resource"),
    [
        ("disks", changed("azurerm_managed_disk.x", {"n": 1}, {"n": 2})),
        ("aks", changed("azurerm_kubernetes_cluster_node_pool.w", {"node_labels": None}, None, "delete")),
        ("aks", changed("azurerm_kubernetes_cluster_node_pool.t4", GPU_POOL, GPU_POOL | {"max_count": 9})),
        ("platform", changed("helm_release.x", {}, None, "delete")),
    ],
)
def test_everything_else_goes_through(stack: str, resource: dict[str, Any]) -> None:
    assert reviewed(**{stack: plan(resource)}).refusals == ()


def test_an_allowance_for_another_stack_or_address_does_not_count() -> None:
    changes = {"disks": [ResourceChange("a.b", "a", Kind.DESTROY)]}
    others = [Allowance("acr", "a.b"), Allowance("disks", "a.c")]
    refusals, unused = check_losses(changes, others)
    assert len(refusals) == 1
    assert unused == others


def entries(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "losses" / "dev.yaml"
    path.parent.mkdir()
    path.write_text(text)
    return path


def test_losses_are_agreed_to_in_a_file_until_a_day(tmp_path: Path) -> None:
    path = entries(tmp_path, "- {stack: disks, address: a.b, reason: moved to blobs, until: 2026-11-21}\n")
    assert load_allowances(path, TODAY) == [Allowance("disks", "a.b", "moved to blobs", TODAY)]
    assert load_allowances(tmp_path / "absent.yaml", TODAY) == []


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("- {stack: disks, address: a.b, until: 2026-12-01}", "entry 1 has no reason"),
        ("- {stack: disks, address: a.b, reason: x, until: 2026-11-20}", "last day was 2026-11-20"),
        ("- {stack: disks, address: a.b, reason: x, until: soon}", "write a day"),
        ("- {stack: disks, address: a.b, reason: x, until: 2026-12-01, who: me}", "unknown key who"),
        ("disks: a.b", "no list of entries"),
        ("- {", "no YAML"),
    ],
)
def test_a_faulty_agreement_is_refused_with_its_place(text: str, fault: str, tmp_path: Path) -> None:
    with pytest.raises(AllowanceError, match=rf"losses/dev\.yaml.*{fault}"):
        load_allowances(entries(tmp_path, text), TODAY)


def test_losses_come_first_in_every_form() -> None:
    found = reviewed(
        identity=plan(changed("a.new", None, {}, "create")),
        platform=plan(changed("helm_release.x", {}, None, "delete")),
    )
    for form in shown(found)[:2]:
        assert form.index("destroys platform/helm_release.x") < form.index("a.new")
        assert form.index("destroys platform/helm_release.x") < form.index("identity")
