"""Providers, features and regions that a subscription lacks: each is one clear sentence."""

from typing import Any

import pytest

from tests.support.preflight.azure_api import NAMESPACES, SCOPE
from tests.support.preflight.logins import READER, Azure, sentences
from tests.support.preflight.surroundings import sound

# --- providers, features, regions ------------------------------------------------------------------------------------


def registered(azure: Azure, *missing: str) -> None:
    azure[0].given(
        rf"GET {SCOPE}/providers$",
        {
            "value": [
                {"namespace": name, "registrationState": "NotRegistered" if name in missing else "Registered"}
                for name in NAMESPACES
            ]
        },
    )


def test_a_provider_that_the_deployment_may_register_is_a_warning(azure: Azure) -> None:
    registered(azure, "Microsoft.DBforPostgreSQL", "Microsoft.KeyVault")
    assert sentences("resource providers", azure) == [
        (
            "warning: not registered yet: Microsoft.DBforPostgreSQL, Microsoft.KeyVault -> az provider register"
            " --namespace"
            " Microsoft.DBforPostgreSQL --wait; az provider register --namespace Microsoft.KeyVault --wait"
        )
    ]
    assert sentences("resource providers", azure, stacks=("acr",)) == []


def test_a_provider_that_nobody_may_register_is_a_failure(azure: Azure) -> None:
    registered(azure, "Microsoft.KeyVault")
    azure[0].given("/permissions$", {"value": [READER]})
    (line,) = sentences("resource providers", azure)
    assert line.startswith("failed: not registered, and this login may not do it: Microsoft.KeyVault -> a Contributor")


@pytest.mark.parametrize("answer", [{"properties": {"state": "NotRegistered"}}, {"properties": {"state": "Pending"}}])
def test_encryption_at_host_has_to_be_registered(answer: Any, azure: Azure) -> None:
    azure[0].given("features/EncryptionAtHost$", answer)
    (line,) = sentences("features", azure, sound(cluster={"host_encryption": True}))
    state = answer["properties"]["state"]
    assert line.startswith(
        f"failed: cluster.host_encryption needs the feature EncryptionAtHost, which is {state} -> az feature register"
        " --namespace Microsoft.Compute --name EncryptionAtHost; once it is Registered: az provider register"
    )


def test_a_region_that_the_subscription_does_not_have(azure: Azure) -> None:
    azure[0].given(r"/locations$", {"value": [{"name": "northeurope"}]})
    (line,) = sentences("regions", azure)
    assert line.startswith("failed: azure.region: this subscription does not have the region westeurope ->")


def test_regions_of_replicas_and_copies_count_for_their_stacks(azure: Azure) -> None:
    far = sound(registry={"tier": "Premium", "geo_replicas": ["polandcentral"]},
                backups={"copy_to_region": "italynorth"})  # fmt: skip
    lines = sentences("regions", azure, far)
    assert [line.partition(":")[2].partition(" ->")[0] for line in lines] == [
        " registry.geo_replicas: this subscription does not have the region polandcentral",
        " backups.copy_to_region: this subscription does not have the region italynorth",
    ]
    assert sentences("regions", azure, far, stacks=("aks",)) == []


def test_zones_that_the_region_lacks_for_this_subscription(azure: Azure) -> None:
    zones = {"name": "westeurope", "availabilityZoneMappings": [{"logicalZone": zone} for zone in "31"]}
    azure[0].given(r"/locations$", {"value": [zones]})
    assert sentences("regions", azure) == [
        "failed: azure.zones: westeurope has no zone 2 for this subscription -> write azure.zones: [1, 3]"
    ]
