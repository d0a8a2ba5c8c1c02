"""Azure's public regions: which have availability zones, and which have a pair for geo-redundant copies.

Source: Microsoft Learn, "List of Azure regions", as of 2026-08. Azure adds zones to regions; a change is one line here.
"""

WITH_ZONES_AND_PAIR = frozenset(
    [
        "australiaeast",
        "brazilsouth",
        "canadacentral",
        "centralindia",
        "centralus",
        "eastasia",
        "eastus",
        "eastus2",
        "francecentral",
        "germanywestcentral",
        "japaneast",
        "japanwest",
        "koreacentral",
        "northeurope",
        "norwayeast",
        "southafricanorth",
        "southcentralus",
        "southeastasia",
        "swedencentral",
        "switzerlandnorth",
        "uaenorth",
        "uksouth",
        "westeurope",
        "westus2",
        "westus3",
    ]
)
WITH_ZONES_WITHOUT_PAIR = frozenset(
    [
        "austriaeast",
        "belgiumcentral",
        "chilecentral",
        "denmarkeast",
        "indonesiacentral",
        "israelcentral",
        "italynorth",
        "malaysiawest",
        "mexicocentral",
        "newzealandnorth",
        "polandcentral",
        "qatarcentral",
        "spaincentral",
    ]
)
WITHOUT_ZONES = frozenset(
    [
        "australiacentral",
        "australiacentral2",
        "australiasoutheast",
        "brazilsoutheast",
        "canadaeast",
        "francesouth",
        "germanynorth",
        "jioindiacentral",
        "jioindiawest",
        "koreasouth",
        "northcentralus",
        "norwaywest",
        "southafricawest",
        "southindia",
        "swedensouth",
        "switzerlandwest",
        "uaecentral",
        "ukwest",
        "westcentralus",
        "westindia",
        "westus",
    ]
)
KNOWN = WITH_ZONES_AND_PAIR | WITH_ZONES_WITHOUT_PAIR | WITHOUT_ZONES

SOVEREIGN_PREFIXES = ("usgov", "usdod", "china")
"""Regions of clouds with other addresses and logins, which the platform does not support."""
