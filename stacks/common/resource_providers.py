"""Azure resource providers that have to be registered in the subscription, by stack.

Apart from the stacks, because importing those starts jsii's Node process.
"""

RESOURCE_PROVIDERS: dict[str, tuple[str, ...]] = {
    "disks": ("Microsoft.Compute", "Microsoft.DataProtection", "Microsoft.Storage"),
    "acr": ("Microsoft.ContainerRegistry",),
    "database": ("Microsoft.DBforPostgreSQL", "Microsoft.KeyVault"),
    "address": ("Microsoft.Network",),
    "network": ("Microsoft.Network",),
    "aks": (
        "Microsoft.AlertsManagement",
        "Microsoft.Authorization",
        "Microsoft.Compute",
        "Microsoft.ContainerService",
        "Microsoft.Insights",
        "Microsoft.ManagedIdentity",
        "Microsoft.Monitor",
        "Microsoft.Network",
        "Microsoft.OperationalInsights",
        "Microsoft.OperationsManagement",
        "Microsoft.PolicyInsights",
    ),
}
