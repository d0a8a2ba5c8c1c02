"""Opik's stores and who waits for them: ClickHouse's own pod, order, ends, memory, claims."""

import copy

from ruamel.yaml import YAML

from stacks.platform.components.opik import secrets
from stacks.platform.components.opik.stores import CLAIMS
from stacks.settings.data import DataDisk
from tests.support.kubernetes.api_schemas import ApiSchemas
from tests.support.opik.rendering import (
    RENDERING,
    Case,
    all_objects,
    clickhouse_pod,
    containers,
    gib,
    of_kind,
    pods_of,
)

pytestmark = RENDERING


def test_operator_can_make_what_the_installation_of_clickhouse_describes(case: Case) -> None:
    """The definition leaves templates open, so pods, claims and services in it are checked as such."""
    (installation,) = of_kind(case[1]["opik"], "ClickHouseInstallation")
    templates = installation["spec"]["templates"]
    pods = copy.deepcopy(templates["podTemplates"])
    for pod in pods:
        # Meant for the pod's own metadata, and without effect where the chart puts it.
        pod["spec"].pop("metadata", None)
    described = {
        "Pod": pods,
        "PersistentVolumeClaim": templates["volumeClaimTemplates"],
        "Service": templates["serviceTemplates"],
    }
    schemas = ApiSchemas(case[0].cluster.kubernetes_version)
    found = [
        problem
        for kind, given in described.items()
        for item in given
        for problem in schemas.problems(
            {"apiVersion": "v1", "kind": kind, "metadata": {"name": item["name"]}, "spec": item["spec"]}
        )
    ]
    assert found == []
    assert all(described.values())


def test_clickhouse_keeps_the_charts_own_files(case: Case) -> None:
    """They bound memory, drop the logs that fill the disk, and allow what the migrations use."""
    (installation,) = of_kind(case[1]["opik"], "ClickHouseInstallation")
    files = installation["spec"]["configuration"]["files"]
    assert {"conf.d/memory.xml", "conf.d/profiles.xml", "conf.d/system_tables.xml"} < set(files)


def test_the_own_pod_of_clickhouse_has_all_that_the_charts_pod_has(case: Case) -> None:
    """The chart writes sizes and probes only into its own template, so ours repeats them."""
    (installation,) = of_kind(case[1]["opik"], "ClickHouseInstallation")
    (charts,) = (
        found
        for found in installation["spec"]["templates"]["podTemplates"]
        if found["name"] == "clickhouse-cluster-pod-template"
    )
    own = clickhouse_pod(installation)
    assert own["name"] != charts["name"]
    assert set(charts["spec"]) - {"metadata"} <= set(own["spec"])
    assert charts["spec"]["securityContext"].items() <= own["spec"]["securityContext"].items()
    (theirs,), (ours,) = charts["spec"]["containers"], own["spec"]["containers"]
    assert theirs.items() <= ours.items()
    assert own["spec"]["securityContext"]["fsGroupChangePolicy"] == "OnRootMismatch"


def test_migrations_and_backend_have_the_same_environment(case: Case) -> None:
    (pod,) = (pod for name, _, pod in pods_of(case[1]["opik"]) if name == "opik-backend")
    sources = {
        c["name"]: c.get("envFrom") for c in containers(pod) if c["name"] in {"backend-migrations", "opik-backend"}
    }
    assert sources["backend-migrations"] == sources["opik-backend"]
    assert {"secretRef": {"name": secrets.BACKEND}} in (sources["opik-backend"] or [])


def test_migrations_wait_for_both_databases(case: Case) -> None:
    (pod,) = (pod for name, _, pod in pods_of(case[1]["opik"]) if name == "opik-backend")
    assert [container["name"] for container in pod["initContainers"]] == [
        "wait-for-mysql-service",
        "wait-for-clickhouse-service",
        "stores-settled",
        "backend-migrations",
    ]
    asked = " ".join(argument for container in pod["initContainers"][:2] for argument in container["args"])
    services = {service["metadata"]["name"] for service in of_kind(case[1]["opik"], "Service")}
    assert "opik-mysql" in services
    assert "opik-mysql 3306" in asked
    assert "clickhouse-opik-clickhouse:8123" in asked


def test_the_backend_waits_for_the_fingerprint_that_each_store_gets(case: Case) -> None:
    """What the container waits for is on the pods of every store; else it would wait for ever."""
    (pod,) = (pod for name, _, pod in pods_of(case[1]["opik"]) if name == "opik-backend")
    (settled,) = (found for found in pod["initContainers"] if found["name"] == "stores-settled")
    namespace, *stores = settled["args"][2:]
    assert namespace == "opik"
    carried = {
        f"{item['kind'].lower()}/{item['metadata']['name']}": item["spec"]["template"]["metadata"].get(
            "annotations", {}
        )
        for item in case[1]["opik"]
        if item["kind"] in {"StatefulSet", "Deployment"}
    }
    (installation,) = of_kind(case[1]["opik"], "ClickHouseInstallation")
    carried["statefulset/chi-opik-clickhouse-cluster-0-0"] = clickhouse_pod(installation)["metadata"]["annotations"]
    assert stores[-1] == "clickhouseinstallation/opik-clickhouse"
    waited = dict(store.split("=") for store in stores[:-1])
    assert set(waited) == {
        "statefulset/opik-mysql",
        "statefulset/opik-redis-master",
        "deployment/opik-minio",
        "statefulset/opik-zookeeper",
        "statefulset/chi-opik-clickhouse-cluster-0-0",
    }
    assert {workload: carried[workload]["platform/configuration"] for workload in waited} == waited


def test_only_the_container_that_waits_for_the_stores_has_a_token(case: Case) -> None:
    (pod,) = (pod for name, _, pod in pods_of(case[1]["opik"]) if name == "opik-backend")
    (volume,) = pod["volumes"]
    holders = [
        container["name"]
        for container in containers(pod)
        if volume["name"] in {mount["name"] for mount in container.get("volumeMounts") or []}
    ]
    assert holders == ["stores-settled"]
    assert pod["serviceAccountName"] == "opik-backend"


def test_a_shell_that_keeps_sigterm_to_itself_has_a_hook_that_ends_what_it_started(case: Case) -> None:
    """By the images' own first processes for backend and evaluator; by the chart's command for the others."""
    shells = {"opik-backend", "opik-python-backend"}
    for name, _, pod in pods_of(all_objects(case[1])):
        if pod.get("restartPolicy") in ("OnFailure", "Never"):
            continue
        for container in pod["containers"]:
            words = [*(container.get("command") or []), *(container.get("args") or [])]
            by_chart = words[:1] in (["sh"], ["/bin/sh"], ["/bin/bash"]) and "exec " not in words[-1]
            if by_chart or name in shells:
                assert container["lifecycle"]["preStop"]["exec"]["command"], f"{name}/{container['name']}"
                shells.add(name)
    assert shells == {"opik-backend", "opik-python-backend", "opik-redis-master"}


def test_redis_saves_before_it_goes_and_no_command_line_has_its_password(case: Case) -> None:
    (redis,) = (pod for name, _, pod in pods_of(case[1]["opik"]) if name == "opik-redis-master")
    (container,) = redis["containers"]
    assert container["lifecycle"]["preStop"]["exec"]["command"] == ["redis-cli", "shutdown", "save"]
    variables = {variable["name"]: variable for variable in container["env"]}
    assert variables["REDISCLI_AUTH"]["valueFrom"]["secretKeyRef"] == {"name": "opik-stores", "key": "redis-password"}
    assert redis["terminationGracePeriodSeconds"] == 60


def test_mysqls_first_start_has_half_an_hour_before_anything_may_end_it(case: Case) -> None:
    """The chart's liveness probe alone would end it after 60 s, in the midst of its initialisation."""
    (mysql,) = (pod for name, _, pod in pods_of(case[1]["opik"]) if name == "opik-mysql")
    (container,) = mysql["containers"]
    probe = container["startupProbe"]
    assert probe["exec"]["command"] == ["mysqladmin", "ping", "-h127.0.0.1"]
    assert probe["periodSeconds"] * probe["failureThreshold"] == 1800
    others = [name for name, _, pod in pods_of(case[1]["opik"]) for c in pod["containers"] if c.get("startupProbe")]
    assert sorted(others) == ["opik-backend", "opik-mysql", "opik-python-backend"]


def test_no_store_may_use_more_memory_than_it_asked_for(case: Case) -> None:
    """Whoever uses more than asked is evicted first when a node is short."""
    stores = {"opik-mysql", "opik-redis-master", "opik-minio", "opik-zookeeper", "opik-clickhouse"}
    pods = {name: pod for name, _, pod in pods_of(case[1]["opik"]) if name in stores}
    assert set(pods) == stores
    for name, pod in pods.items():
        for container in pod["containers"]:
            resources = container["resources"]
            assert resources["requests"]["memory"] == resources["limits"]["memory"], name


def test_java_leaves_room_in_the_backends_memory(case: Case) -> None:
    (pod,) = (pod for name, _, pod in pods_of(case[1]["opik"]) if name == "opik-backend")
    (container,) = pod["containers"]
    (config,) = (
        found for found in of_kind(case[1]["opik"], "ConfigMap") if found["metadata"]["name"] == "opik-backend"
    )
    options = config["data"]["JAVA_OPTS"].split()
    (percent,) = (float(word.partition("=")[2]) for word in options if word.startswith("-XX:MaxRAMPercentage="))
    (direct,) = (word.partition("=")[2] for word in options if word.startswith("-XX:MaxDirectMemorySize="))
    assert 50 <= percent <= 60
    limit_mib = gib(container["resources"]["limits"]["memory"]) * 1024
    # Classes, code, threads and the second JVM take some 350 MiB.
    assert limit_mib * percent / 100 + int(direct.removesuffix("m")) + 350 <= limit_mib
    # The chart's default has it, and what is given here replaces the default.
    assert "-Dliquibase.propertySubstitutionEnabled=true" in options


def test_the_operator_touches_no_replica_and_no_data_by_itself(case: Case) -> None:
    (files,) = (
        found
        for found in of_kind(case[1]["altinity-clickhouse-operator"], "ConfigMap")
        if found["metadata"]["name"] == "altinity-clickhouse-operator-files"
    )
    config = YAML(typ="safe").load(files["data"]["config.yaml"])
    stateful_set, host = config["reconcile"]["statefulSet"], config["reconcile"]["host"]
    assert stateful_set["recreate"]["onDataLoss"] == "abort"
    assert stateful_set["update"]["timeout"] == 1800
    assert stateful_set["update"]["onFailure"] == "abort"
    assert str(host["drop"]["replicas"]["onLostVolume"]).lower() in {"no", "false"}


def test_pods_mount_exactly_the_claims_that_the_stack_makes(case: Case) -> None:
    mounted = {
        volume["persistentVolumeClaim"]["claimName"]
        for _, _, pod in pods_of(case[1]["opik"])
        for volume in pod.get("volumes") or []
        if "persistentVolumeClaim" in volume
    }
    (installation,) = of_kind(case[1]["opik"], "ClickHouseInstallation")
    spec = installation["spec"]
    (cluster,) = spec["configuration"]["clusters"]
    assert cluster["layout"] == {"shardsCount": 1, "replicasCount": 1}
    template = cluster["templates"]["volumeClaimTemplate"]
    mounted.add(f"{template}-chi-{installation['metadata']['name']}-{cluster['name']}-0-0-0")
    assert mounted == set(CLAIMS.values())
    (own,) = (found for found in spec["templates"]["volumeClaimTemplates"] if found["name"] == template)
    assert own["reclaimPolicy"] == "Retain"
    assert own["spec"]["resources"]["requests"]["storage"] == f"{case[0].disks.size_gib(DataDisk.CLICKHOUSE)}Gi"


def test_no_claim_belongs_to_a_release(case: Case) -> None:
    for item in all_objects(case[1]):
        assert item["kind"] != "PersistentVolumeClaim"
        assert "volumeClaimTemplates" not in item.get("spec", {}) or item["kind"] == "ClickHouseInstallation"
