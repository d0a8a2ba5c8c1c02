"""What ends is seen before it ends, with the backup that comes first."""

from dataclasses import replace
from datetime import date
from typing import get_args

from scripts.deployment.upgrades.coming import coming
from scripts.deployment.upgrades.lifetimes import lifetimes
from scripts.terraform.deployed.versions import Versions
from stacks.settings import Settings
from stacks.settings.database import DatabaseSettings
from stacks.settings.rules.cluster import TESTED_KUBERNETES
from tests.support.stacks.durable import settings

NOTHING = Versions({}, {}, {}, {}, 0, {}, None)


def found(varied: Settings, deployed: Versions = NOTHING) -> dict[str, tuple[date | None, tuple[str, ...]]]:
    return {one.what: (one.by, one.steps) for one in coming(varied, deployed, lifetimes())}


def test_every_version_that_a_file_may_ask_for_has_a_last_day() -> None:
    known = lifetimes()
    assert set(TESTED_KUBERNETES) <= known.kubernetes.keys()
    assert known.kubernetes.keys() == known.kubernetes_long_term.keys()
    assert set(get_args(DatabaseSettings.model_fields["version"].annotation)) <= known.postgresql.keys()


def test_kubernetes_goes_one_minor_version_further_after_a_backup() -> None:
    assert found(settings())["Kubernetes 1.36"] == (
        date(2027, 6, 30),
        (
            "llmctl backup create dev",
            'environments/dev.yaml: cluster.kubernetes_version: "1.37"',
            "llmctl preflight dev aks",
            "llmctl deploy dev aks",
        ),
    )


def test_what_runs_counts_and_not_what_the_file_asks_for() -> None:
    running = replace(NOTHING, services={"Kubernetes": "1.35.7", "PostgreSQL": "16"})
    seen = found(settings(), running)
    assert seen["Kubernetes 1.35"][0] == date(2027, 3, 31)
    assert seen["PostgreSQL 16"][0] == date(2028, 11, 9)
    assert seen["PostgreSQL 16"][1][0] == "llmctl backup create dev"
    assert seen["PostgreSQL 16"][1][1].endswith('database.version: "18"')


def test_long_term_support_is_a_year_more() -> None:
    lasting = settings(cluster={"tier": "Premium", "long_term_support": True})
    assert found(lasting)["Kubernetes 1.36"][0] == date(2028, 6, 30)


def test_a_version_that_the_list_does_not_know_is_no_promise() -> None:
    seen = found(settings(), replace(NOTHING, services={"Kubernetes": "1.40", "PostgreSQL": "21"}))
    for what in ("Kubernetes 1.40", "PostgreSQL 21"):
        assert seen[what] == (None, ("take a newer release of this project, whose list knows more",))


def test_programs_that_this_checkout_would_raise_are_named_with_what_comes_first() -> None:
    older = {
        "Open WebUI": "v0.12.3",
        "LiteLLM": "v1.9.0",
        "Opik": "2.1.20",
        "Grafana": "13.1.0",
        "Prometheus": "v9.9.9",
    }
    varied = settings()
    seen = found(varied, replace(NOTHING, programs=older))
    assert seen["Open WebUI v0.12.3"][1] == ("llmctl backup create dev", "llmctl deploy dev")
    assert seen["LiteLLM v1.9.0"][1][0] == "llmctl backup create dev"
    (opik,) = seen["Opik 2.1.20"][1]
    assert opik.startswith("llmctl opik upgrade 2.")
    assert seen["Grafana 13.1.0"][1] == ("llmctl deploy dev",)
    assert not [what for what in seen if what.startswith("Prometheus")], "a checkout that is older raises nothing"
    assert "Ollama latest" not in seen


def test_a_vm_size_that_azure_retires_is_named_with_its_pool() -> None:
    old = settings(cluster={"workload_pool": {"vm_size": "Standard_D4_v2", "max_nodes": 9}})
    by, (edit, _) = found(old)["Standard_D4_v2"]
    assert by == date(2028, 5, 1)
    assert "cluster.workload_pool.vm_size" in edit
    assert lifetimes().size_ends("Standard_D4ds_v5") is None


def test_what_can_be_raised_now_comes_first_then_what_ends_first() -> None:
    days = [one.by for one in coming(settings(), replace(NOTHING, programs={"Opik": "2.1.20"}), lifetimes())]
    assert days[0] is None
    ends = [day for day in days if day]
    assert ends == sorted(ends)
