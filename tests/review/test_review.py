"""What a plan's JSON becomes for a reviewer: differences without secrets, losses that need a word, money."""

import datetime
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from scripts.review.changes import Kind, ResourceChange
from scripts.review.cost import cost_of
from scripts.review.guard import Allowance, AllowanceError, check_losses, load_allowances, named
from scripts.review.lines import change_lines
from scripts.review.markdown import LIMIT, markdown, marker
from scripts.review.masking import MASK
from scripts.review.plan import Plan, read_plan
from scripts.review.report import Review, as_json, review
from scripts.review.text import print_review
from scripts.review.yaml_diff import merged, yaml_diff

TODAY = datetime.date(2026, 11, 21)
SECRET = "correct-horse-battery"
GPU_POOL = {"vm_size": "Standard_NC4as_T4_v3", "node_labels": {"nvidia.com/gpu.present": "true"}, "max_count": 2}


def changed(
    address: str, before: Any, after: Any, *actions: str, sensitive: Any = False, unknown: Any = None, **more: Any
) -> dict[str, Any]:
    """Return one resource as a plan's JSON has it."""
    return {
        "address": address,
        "type": address.split(".", maxsplit=1)[0],
        **{key: more.pop(key) for key in ("previous_address",) if key in more},
        "change": {
            "actions": list(actions) or ["update"],
            "before": before,
            "after": after,
            "before_sensitive": sensitive,
            "after_sensitive": sensitive,
            "after_unknown": unknown or {},
            **more,
        },
    }


def plan(*resources: dict[str, Any], **document: Any) -> Plan:
    return read_plan({"resource_changes": list(resources), **document})


def reviewed(*allowances: Allowance, **plans: Plan) -> Review:
    return review("dev", plans, {}, (), allowances)


def shown(found: Review) -> list[str]:
    """Return a review in every form that it has."""
    console = Console(width=500, record=True)
    print_review(found, console)
    return [console.export_text(), markdown(found), str(as_json(found)), repr(found)]


def differences(found: Plan) -> dict[str, tuple[str, str]]:
    return {it.path: (it.before, it.after) for change in found.resources for it in change.differences}


def test_each_changed_attribute_is_shown_by_its_path() -> None:
    before = {"name": "a", "sku": [{"tier": "x", "size": 1}], "tags": {"k": "v"}, "zones": ["1", "2"]}
    after = {"name": "a", "sku": [{"tier": "y", "size": 1}], "tags": {"k": "v", "n": "w"}, "zones": ["1", "3", "4"]}
    assert differences(plan(changed("azurerm_x.y", before, after))) == {
        "sku[0].tier": ('"x"', '"y"'),
        "tags.n": ("(none)", '"w"'),
        "zones": ('["2"]', '["3", "4"]'),
    }


def test_what_is_known_only_later_is_said() -> None:
    found = plan(changed("a.b", {"id": "1", "x": {"y": 1}}, {"x": {}}, unknown={"id": True, "x": {"y": True}}))
    later = "(known after apply)"
    assert differences(found) == {"id": ('"1"', later), "x.y": ("1", later)}


def test_a_replacement_says_why() -> None:
    found = plan(changed("a.b", {"n": 1}, {"n": 2}, "delete", "create", replace_paths=[["n"], ["s", 0, "t"]]))
    (change,) = found.resources
    assert change.because == ("n", "s[0].t")
    assert next(change_lines(change)) == "! a.b  (replaced because of n, s[0].t)"


def test_a_pure_move_is_shown_and_loses_nothing() -> None:
    found = plan(changed("a.new", {"x": 1}, {"x": 1}, "no-op", previous_address="a.old"))
    assert (found.changes.move, found.changes.resources, found.lost) == (1, 0, ())
    assert next(change_lines(found.resources[0])) == "> a.new  (moved from a.old)"


def test_what_was_changed_outside_terraform_is_marked() -> None:
    found = plan(changed("a.b", {"x": 1}, {"x": 2}), resource_drift=[changed("a.b", {"x": 2}, {"x": 1})])
    assert "changed outside Terraform" in next(change_lines(found.resources[0]))


@pytest.mark.parametrize(
    "resource",
    [
        changed("a.b", {"x": SECRET}, {"x": f"{SECRET}2"}, sensitive={"x": True}),
        changed("a.b", {"x": {"y": [SECRET]}}, {"x": {"y": ["other-secret"]}}, sensitive={"x": True}),
        changed("a.b", {"x": [SECRET]}, {"x": ["other-secret", "one-more"]}, sensitive={"x": [True, True]}),
        # Marked in one attribute, back from the provider in another that is not marked.
        changed("a.b", {"x": SECRET, "y": f"is {SECRET}"}, {"x": SECRET, "y": "gone"}, sensitive={"x": True}),
        changed("a.b", {"y": {"z": [SECRET]}, "x": SECRET}, {"x": SECRET}, unknown={"y": True}, sensitive={"x": True}),
        # Never marked.
        changed("a.b", {"admin_password": SECRET}, {"admin_password": "correct-horse-staple"}),
        changed("a.b", {"url": f"redis://:{SECRET}@host"}, {"url": "redis://host"}),
        changed("a.b", {"text": "x"}, {"text": f"x\n-----BEGIN PRIVATE KEY-----\n{SECRET}\n-----END PRIVATE KEY-----"}),
        changed("a.b", {"text": "x"}, {"text": f"Authorization: Bearer {SECRET}"}),
        changed("helm_release.a", {"values": [f"a: {SECRET}"]}, {"values": ["a: 1"]}, sensitive={"values": [True]}),
        changed("helm_release.a", {"values": [f"p: {{dbPassword: {SECRET}}}"]}, {"values": ["p: {dbPassword: x}"]}),
        changed(
            "helm_release.a", {"values": [f"a: {SECRET}"], "s": SECRET}, {"values": ["a: 1"]}, sensitive={"s": True}
        ),
    ],
)
def test_no_form_of_the_review_shows_a_secret(resource: dict[str, Any]) -> None:
    found = reviewed(platform=plan(resource))
    assert [form for form in shown(found) if SECRET in form or "horse" in form] == []
    assert all(MASK in form or resource["address"] in form for form in shown(found))


def test_a_secret_of_an_untouched_resource_is_masked_elsewhere_too() -> None:
    prior = {"root_module": {"resources": [{"values": {"key": SECRET}, "sensitive_values": {"key": True}}]}}
    found = plan(changed("a.b", {"x": "y"}, {"x": SECRET}), prior_state={"values": prior})
    assert differences(found) == {"x": ('"y"', f'"{MASK}"')}


def test_a_secret_that_changes_is_told_without_its_value() -> None:
    found = plan(changed("a.b", {"x": SECRET}, {"x": "another-secret"}, sensitive={"x": True}))
    assert differences(found) == {"x": (MASK, f"{MASK} (changed)")}
    values = plan(
        changed("helm_release.a", {"values": ["a: {token: abcdefg, b: 1}"]}, {"values": ["a: {token: gfedcba, b: 1}"]})
    )
    assert values.resources[0].values == ("  a:", f"-   token: {MASK}", f"+   token: {MASK} (changed)")


def test_values_of_a_release_are_compared_as_helm_merges_them() -> None:
    before = ["image: {tag: '1'}\nreplicas: 1\nargs: [a, b]", '{"image": {"repository": "r"}}']
    after = [
        "image: {tag: '1'}\nreplicas: 1\nargs: [a, c]",
        '{"image": {"tag": "2", "repository": "r"}, "replicas": 3}',
    ]
    (release,) = plan(changed("helm_release.a", {"values": before}, {"values": after})).resources
    assert release.values == (
        "  image:",
        "-   tag: '1'",
        "+   tag: '2'",
        "- replicas: 1",
        "+ replicas: 3",
        "  args:",
        "    - a",
        "-   - b",
        "+   - c",
    )
    assert release.differences == ()


def test_layers_that_say_the_same_in_another_way_are_no_difference() -> None:
    (release,) = plan(changed("helm_release.a", {"values": ["a: 1\nb: 2"]}, {"values": ["{b: 2, a: 1}"]})).resources
    assert release.values == ()


def test_texts_of_several_lines_are_compared_line_by_line() -> None:
    assert list(yaml_diff({"f": "a\nb\nc\nd\n"}, {"f": "a\nB\nc\nd\n"})) == [
        "  f: |",
        "    a",
        "-   b",
        "+   B",
        "    c",
    ]


def test_a_key_that_comes_or_goes_is_shown_with_all_below_it() -> None:
    lines = list(yaml_diff(merged(["a: {b: 1}"]), merged(["c: {d: [1]}"])))
    assert lines == ["- a:", "-   b: 1", "+ c:", "+   d:", "+     - 1"]


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


def test_markdown_can_be_found_again_and_fits_a_comment() -> None:
    long = plan(*(changed(f"a.b{n}", {"x": "1" * 100}, {"x": "2" * 100}) for n in range(500)))
    text = markdown(reviewed(disks=plan(changed("a.first", {"x": 1}, {"x": 2})), aks=long))
    assert text.startswith(marker("dev") + "\n")
    assert len(text) < LIMIT
    assert "a.first" in text
    assert "`llmctl diff dev aks` shows them" in text


def test_a_text_cannot_end_the_block_that_it_stands_in() -> None:
    text = markdown(reviewed(aks=plan(changed("a.b", {"x": "````\n<script>"}, {"x": "y\nz"}))))
    assert "\n`````diff\n" in text


def test_programs_get_counts_losses_and_attributes() -> None:
    found = as_json(reviewed(aks=plan(changed("a.b", {"x": 1}, {"x": 2}), changed("a.c", {}, None, "delete"))))
    assert found["pending"] is True
    assert found["stacks"]["aks"]["destroy"] == 1
    assert found["stacks"]["aks"]["lost"] == ["a.c"]
    update = found["stacks"]["aks"]["resources"][1]
    assert update["attributes"] == [{"path": "x", "before": "1", "after": "2"}]


POOL = "azurerm_kubernetes_cluster_node_pool"


def test_a_pool_costs_what_its_nodes_cost_from_fewest_to_most() -> None:
    hour = 0.526
    pool = {"vm_size": "Standard_NC4as_T4_v3", "priority": "Regular", "min_count": 0, "max_count": 2}
    whole = cost_of(POOL, {}, pool)
    more = cost_of(POOL, pool, pool | {"max_count": 3})
    assert whole
    assert more
    assert (whole.low, more.low) == (0, 0)
    assert whole.high == pytest.approx(2 * 730 * hour)
    assert more.high == pytest.approx(730 * hour)
    spot = cost_of(POOL, {}, pool | {"priority": "Spot"})
    assert spot
    assert spot.high == pytest.approx(2 * 730 * hour * 0.25)


@pytest.mark.parametrize(
    ("kind", "before", "after", "amount"),
    [
        ("azurerm_container_registry", {"sku": "Basic"}, {"sku": "Premium"}, 45),
        ("azurerm_container_registry", {}, {"sku": "Premium", "georeplications": [{}]}, 100),
        ("azurerm_postgresql_flexible_server", {}, {"sku_name": "B_Standard_B1ms", "storage_mb": 131072}, 33.72),
        ("azurerm_kubernetes_cluster", {"sku_tier": "Free"}, {"sku_tier": "Standard"}, 73),
        ("azurerm_nat_gateway", {"sku_name": "Standard"}, {}, -32.85),
    ],
)
def test_flat_prices_are_compared(kind: str, before: dict[str, Any], after: dict[str, Any], amount: float) -> None:
    found = cost_of(kind, before, after)
    assert found
    assert found.known
    assert found.low == found.high == pytest.approx(amount, abs=0.01)


@pytest.mark.parametrize(
    ("kind", "before", "after"),
    [
        (POOL, {}, {"vm_size": "Standard_Unheard_Of", "max_count": 1}),
        ("azurerm_managed_disk", {"disk_size_gb": 64}, {"disk_size_gb": 128}),
        ("azurerm_storage_share", {"quota": 100}, {"quota": 200}),
        ("azurerm_kubernetes_cluster", {}, {"default_node_pool": [{"vm_size": "Standard_Odd1", "node_count": 1}]}),
    ],
)
def test_an_unknown_price_is_said_to_be_unknown(kind: str, before: dict[str, Any], after: dict[str, Any]) -> None:
    cost = cost_of(kind, before, after)
    assert cost
    assert not cost.known
    found = reviewed(aks=plan(changed(f"{kind}.x", before or None, after, "update" if before else "create")))
    assert all("USD" not in form for form in shown(found)[:2])
    assert all(f"{kind}.x" in form.partition("No price known here for:")[2] for form in shown(found)[:2])


def test_a_change_that_costs_nothing_is_silent() -> None:
    assert (
        cost_of("azurerm_managed_disk", {"disk_size_gb": 64, "tags": {}}, {"disk_size_gb": 64, "tags": {"a": 1}})
        is None
    )
    assert cost_of("helm_release", {}, {"name": "x"}) is None


def test_the_sum_names_its_source() -> None:
    found = reviewed(acr=plan(changed("azurerm_container_registry.r", {"sku": "Basic"}, {"sku": "Premium"})))
    assert all("+45 USD a month" in form and "list prices of this release, eastus" in form for form in shown(found)[:2])
