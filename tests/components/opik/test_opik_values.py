"""Opik's values: passwords, sizes, guardrails."""

import re
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from stacks.platform.common.catalogue import HELM, values_files
from stacks.platform.common.traffic import Peer
from stacks.platform.components.enabled import enabled_components
from stacks.platform.components.opik import login, operator, release, secrets, traffic
from stacks.platform.components.opik.names import OPERATOR
from stacks.settings import Settings
from stacks.settings.opik import OpikProfile
from stacks.settings.rules import Finding
from stacks.settings.rules.opik import guardrails_have_a_pool_and_an_image
from tests.support.opik import rendering as opik_rendering
from tests.support.opik.settings import HOST, PROXY, login_configuration, opik_flows, settings_of, store_fingerprints
from tests.support.stacks.components import images_of, secret_names, secret_templates, with_images
from tests.support.stacks.synthesis import synthesize


def test_every_key_that_has_a_public_default_is_delivered() -> None:
    received = secret_names(settings_of())["opik"]
    assert {
        "STATE_DB_PASS",
        "ANALYTICS_DB_PASS",
        "ANALYTICS_DB_MIGRATIONS_PASS",
        "REDIS_URL",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "OPIK_ENCRYPTION_KEY",
    } == set(received[secrets.BACKEND])
    assert {"mysql-root-password", "mysql-password", "redis-password", "minio-user", "minio-password"} < set(
        received[secrets.STORES]
    )
    assert set(received[OPERATOR]) == {"password"}
    assert secret_templates(settings_of(), database_host=HOST)["opik"][OPERATOR]["username"] == secrets.OPERATOR_ACCOUNT


def test_code_of_evaluators_finds_no_secret_and_no_address() -> None:
    switched_on = settings_of(opik={"python_evaluators": True})
    evaluator = release.opik(*with_images(switched_on))["component"]["python-backend"]
    assert evaluator["envFrom"] == [{"configMapRef": {"name": "opik-python-backend"}}]
    assert not [name for name in secret_names(switched_on)["opik"] if "python" in name]
    fixed = YAML(typ="safe").load((HELM / "opik" / "values.yaml").read_text())["component"]["python-backend"]["env"]
    # The worker of the Optimization Studio is what needs Redis and the API.
    assert fixed["RQ_WORKER_ENABLED"] == "false"
    assert [fixed[name] for name in ("REDIS_URL", "OPIK_REVERSE_PROXY_URL", "OPIK_URL_OVERRIDE")] == [None] * 3


@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_nobody_writes_evaluation_code_unless_the_environment_says_so(environment: str) -> None:
    components = enabled_components(settings_of(environment))
    assert release.opik(*with_images(settings_of(environment)))["component"]["python-backend"] == {"enabled": False}
    assert not {"opik/python-backend", "opik/sandbox-executor"} & set(components.images())
    assert "opik/backend" in components.images()
    ends = [peer for found in components.connections() for peer in (found.caller, found.receiver)]
    assert not [peer for peer in ends if isinstance(peer, Peer) and peer.pods == traffic.EVALUATOR]
    assert not [flow for flow in opik_flows(settings_of(environment)) if "evaluator" in flow.name]


def test_evaluators_that_are_switched_on_have_their_images_and_calls_of_the_backend() -> None:
    switched_on = settings_of(opik={"python_evaluators": True})
    assert {"opik/python-backend", "opik/sandbox-executor"} <= set(enabled_components(switched_on).images())
    assert release.opik(*with_images(switched_on))["component"]["python-backend"]["enabled"] is True
    flows = [flow for flow in opik_flows(switched_on) if "evaluator" in flow.name]
    assert {flow.name for flow in flows} == {"backend-to-evaluator-out", "backend-to-evaluator-in"}


@pytest.mark.parametrize("on", [False, True])
def test_opik_offers_evaluation_code_where_something_runs_it(on: bool) -> None:
    settings = settings_of(opik={"python_evaluators": on})
    switches = release.opik(*with_images(settings))["component"]["backend"]["env"]
    offered = {name: value for name, value in switches.items() if "PYTHON" in name}
    assert offered == dict.fromkeys(
        (
            "TOGGLE_PYTHON_EVALUATOR_ENABLED",
            "TOGGLE_TRACE_THREAD_PYTHON_EVALUATOR_ENABLED",
            "TOGGLE_SPAN_USER_DEFINED_METRIC_PYTHON_ENABLED",
        ),
        "true" if on else "false",
    )


def test_a_password_means_the_same_to_the_store_and_to_its_clients() -> None:
    received = secret_names(settings_of())["opik"]
    stores_, backend = received[secrets.STORES], received[secrets.BACKEND]
    assert backend["STATE_DB_PASS"] == stores_["mysql-password"]
    assert backend["ANALYTICS_DB_PASS"] == backend["ANALYTICS_DB_MIGRATIONS_PASS"] == stores_["clickhouse-password"]
    assert backend["REDIS_URL"] == stores_["redis-password"]
    assert backend["AWS_ACCESS_KEY_ID"] == stores_["minio-user"]
    assert backend["AWS_SECRET_ACCESS_KEY"] == stores_["minio-password"]


def test_plain_keys_of_passwords_leave_the_config_maps() -> None:
    component = YAML(typ="safe").load((HELM / "opik" / "values.yaml").read_text())["component"]
    plain = {"STATE_DB_PASS", "ANALYTICS_DB_PASS", "ANALYTICS_DB_MIGRATIONS_PASS", "REDIS_URL"}
    assert {key for key, value in component["backend"]["env"].items() if value is None} == plain


STORE_PASSWORDS = {
    "opik-mysql-root-password",
    "opik-mysql-password",
    "opik-clickhouse-password",
    "opik-redis-password",
    "opik-minio-user",
    "opik-minio-password",
}


@pytest.mark.parametrize("secret", sorted({name.value for keys in secrets.KEYS.values() for name in keys.values()}))
def test_raised_version_restarts_whoever_uses_the_password(secret: str) -> None:
    raised = settings_of(secrets={"versions": {secret: 2}})
    before, after = release.opik(*with_images(settings_of())), release.opik(*with_images(raised))
    assert before["podAnnotations"] != after["podAnnotations"]
    stores = {name for name in fingerprints() if fingerprints()[name] != store_fingerprints(raised)[name]}
    if secret in STORE_PASSWORDS:
        assert stores == {"mysql", "redis", "minio", "zookeeper", "clickhouse"}
    else:
        assert stores == ({"clickhouse"} if secret == "opik-clickhouse-operator-password" else set())
    of_login = secret in {name.value for name in secrets.KEYS[secrets.LOGIN].values()}
    proxies = [
        login.oauth2_proxy(settings, images_of(settings), **PROXY)["podAnnotations"]
        for settings in (settings_of(), raised)
    ]
    assert (proxies[0] != proxies[1]) == of_login
    of_operator = secret in {name.value for name in secrets.KEYS[OPERATOR].values()}
    operators = [operator.operator(*with_images(settings))["podAnnotations"] for settings in (settings_of(), raised)]
    assert (operators[0] != operators[1]) == of_operator


def fingerprints(**opik: object) -> dict[str, str]:
    return store_fingerprints(settings_of(opik=opik))


def test_other_sizes_restart_the_pods_that_hash_their_configuration() -> None:
    of_profiles = [settings_of(opik={"profile": profile}) for profile in OpikProfile]
    small, standard = (release.configuration_hash(settings.opik, settings.secrets) for settings in of_profiles)
    assert small != standard
    before, after = (fingerprints(profile=profile) for profile in OpikProfile)
    assert not set(before.values()) & set(after.values())


def test_first_installation_has_one_backend_and_no_autoscaler() -> None:
    backend = release.opik(*with_images(settings_of()))["component"]["backend"]
    assert backend["replicaCount"] == 1
    assert backend["autoscaling"]["enabled"] is False


def test_replicas_and_autoscaler_follow_the_settings() -> None:
    backend = release.opik(*with_images(settings_of(opik={"replicas": 2, "max_replicas": 5})))["component"]["backend"]
    assert backend["replicaCount"] == 2
    assert backend["autoscaling"] == {"enabled": True, "minReplicas": 2, "maxReplicas": 5}
    assert backend["podDisruptionBudget"]["enabled"] is True


@pytest.mark.parametrize("profile", OpikProfile)
def test_redis_refuses_instead_of_evicting_and_fits_its_memory(profile: OpikProfile) -> None:
    variants = release.variants(settings_of(opik={"profile": profile}).opik)
    redis = YAML(typ="safe").load(values_files("opik", variants)[-1].read_text())["redis"]
    content = redis["config"]["content"]
    assert "maxmemory-policy noeviction" in content
    assert "dir /data" in content
    most = re.search(r"maxmemory (\d+)mb", content)
    assert most
    limit = redis["resources"]["limits"]["memory"]
    # A snapshot copies pages while it is written, so half of the limit stays free.
    assert int(most.group(1)) * 2 <= int(limit[:-2]) * (1024 if limit.endswith("Gi") else 1)


@pytest.mark.parametrize("profile", OpikProfile)
def test_zookeepers_heap_fits_its_memory(profile: OpikProfile) -> None:
    variants = release.variants(settings_of(opik={"profile": profile}).opik)
    zookeeper = YAML(typ="safe").load(values_files("opik", variants)[-1].read_text())["zookeeper"]
    variables = {variable["name"]: variable["value"] for variable in zookeeper["extraEnvVars"]}
    # The list replaces the chart's, which has the folder of the data.
    assert variables["ZOO_DATA_DIR"] == "/bitnami/zookeeper/data"
    most = re.search(r"-Xmx(\d+)([mg])", variables["JVMFLAGS"])
    assert most
    heap = int(most.group(1)) * (1024 if most.group(2) == "g" else 1)
    limit = zookeeper["resources"]["limits"]["memory"]
    assert heap * 4 <= int(limit[:-2]) * (1024 if limit.endswith("Gi") else 1) * 3


def test_evaluators_run_in_processes_without_privilege() -> None:
    evaluator = YAML(typ="safe").load((HELM / "opik" / "values.yaml").read_text())["component"]["python-backend"]
    assert evaluator["env"]["PYTHON_CODE_EXECUTOR_STRATEGY"] == "process"
    assert evaluator["securityContext"]["privileged"] is False
    assert evaluator["securityContext"]["capabilities"] == {"drop": ["ALL"]}


def test_evaluators_are_nobody_and_write_only_below_tmp() -> None:
    evaluator = YAML(typ="safe").load((HELM / "opik" / "values.yaml").read_text())["component"]["python-backend"]
    given = evaluator["securityContext"]
    assert (given["runAsNonRoot"], given["runAsUser"], given["runAsGroup"]) == (True, 65534, 65534)
    assert given["readOnlyRootFilesystem"] is True
    assert [mount["mountPath"] for mount in evaluator["volumeMounts"]] == ["/tmp"]
    assert [volume["emptyDir"] for volume in evaluator["volumes"]] == [{"sizeLimit": "512Mi"}]
    # Its worker alone would use Redis, with a password that users' code could read.
    assert evaluator["env"]["RQ_WORKER_ENABLED"] == "false"
    assert evaluator["env"]["REDIS_URL"] is None


def test_reports_demonstration_and_old_migration_are_off() -> None:
    fixed = YAML(typ="safe").load((HELM / "opik" / "values.yaml").read_text())
    assert fixed["chartMigration"]["enabled"] is False
    assert fixed["demoDataJob"]["enabled"] is False
    assert fixed["component"]["backend"]["env"]["OPIK_USAGE_REPORT_ENABLED"] == "false"


def test_guardrails_run_only_on_a_pool_that_is_named(tmp_path_factory: pytest.TempPathFactory) -> None:
    named = settings_of("dev", opik={"guardrails_pool": "t4"})
    stacks = synthesize(named, tmp_path_factory.mktemp("guardrails"))
    assert "opik-guardrails" in stacks.resources("platform", "helm_release")
    assert operator.guardrails(images_of(named), "t4")["nodeSelector"] == {"kubernetes.azure.com/agentpool": "t4"}
    assert login.GUARDRAILS in _upstreams(named)
    assert login.GUARDRAILS not in _upstreams(settings_of())
    assert "login-to-guardrails-in" in {flow.name for flow in opik_flows(named)}
    assert "login-to-guardrails-in" not in {flow.name for flow in opik_flows(settings_of())}


def _upstreams(settings: Settings) -> list[str]:
    return [upstream["uri"] for upstream in login_configuration(settings)["upstreamConfig"]["upstreams"]]


def _guardrails(settings: Settings) -> Iterator[Finding]:
    return guardrails_have_a_pool_and_an_image(settings.opik, settings.cluster, settings.images)


def test_guardrails_need_a_pool_of_the_file_and_a_built_image() -> None:
    unknown = settings_of("dev", opik={"guardrails_pool": "a100"})
    assert [finding.message for finding in _guardrails(unknown)] == [
        "names a pool that cluster.gpu_pools does not have; the pools are t4"
    ]
    imported = settings_of("dev", opik={"guardrails_pool": "t4"}, images={"opik": "import"})
    (finding,) = _guardrails(imported)
    assert "images.opik: build" in finding.message
    assert not list(_guardrails(settings_of("dev", opik={"guardrails_pool": "t4"})))


def test_a_chart_in_an_archive_is_read_as_one_in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Charts come as archives named after their release, with a folder of the chart's own name inside."""
    chart = tmp_path / "made" / "own-name"
    (chart / "charts" / "part").mkdir(parents=True)
    (chart / "Chart.yaml").write_text("name: own-name\n")
    (chart / "charts" / "part" / "values.yaml").write_text("key: 1\n")
    with tarfile.open(tmp_path / "opik.tgz", "w:gz") as archive:
        archive.add(chart, arcname="own-name")
    monkeypatch.setattr(opik_rendering, "FOLDER", str(tmp_path))
    (tmp_path / "unpacked").mkdir()
    found = Path(opik_rendering.chart_of("opik", tmp_path / "unpacked"))
    assert (found / "Chart.yaml").is_file()
    # Values of its parts are read from their folders.
    assert (found / "charts" / "part" / "values.yaml").read_text() == "key: 1\n"
