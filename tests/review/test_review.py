"""What a plan's JSON becomes for a reviewer: differences without secrets, losses that need a word, money."""

from typing import Any

import pytest

from scripts.review.lines import change_lines
from scripts.review.markdown import LIMIT, markdown, marker
from scripts.review.masking import MASK
from scripts.review.report import as_json
from scripts.review.yaml_diff import merged, yaml_diff
from tests.support.review.plans import SECRET, changed, differences, plan, reviewed, shown


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
