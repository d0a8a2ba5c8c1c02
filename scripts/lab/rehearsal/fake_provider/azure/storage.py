"""The many names under which a storage account can be reached."""

from __future__ import annotations

_SERVICES = {"blob": "blob", "dfs": "dfs", "file": "file", "queue": "queue", "table": "table", "web": "z6.web"}
_RANKS = {"primary": "", "secondary": "-secondary"}
_ROUTES = {"": "", "_internet": "-internetrouting", "_microsoft": "-microsoftrouting"}


def storage_account_values() -> dict[str, str]:
    """Return templates for the endpoints, hosts, keys and connection strings of a storage account."""
    found = {"primary_location": "{location}", "secondary_location": ""}
    for rank, suffix in _RANKS.items():
        for service, domain in _SERVICES.items():
            for route, routing in _ROUTES.items():
                host = f"{{name}}{suffix}{routing}.{domain}.core.windows.net"
                found[f"{rank}_{service}{route}_host"] = host
                found[f"{rank}_{service}{route}_endpoint"] = f"https://{host}/"
        found[f"{rank}_access_key"] = "{key}"
        connection = (
            f"DefaultEndpointsProtocol=https;AccountName={{name}};AccountKey={{{rank}_access_key}};"
            "EndpointSuffix=core.windows.net"
        )
        found |= {f"{rank}_connection_string": connection, f"{rank}_blob_connection_string": connection}
    return found
