"""How pods reach what lies outside the cluster: with an egress proxy, and with roots of the company's own.

Components say what their pods reach (`traffic.WayOut`); this module alone decides what a proxy makes of that, and which
variables and files pods get. The admission policies of the component `egress` hand them out.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from stacks.settings import Settings
from stacks.settings.egress import EgressProxySettings, is_range
from stacks.settings.network import NetworkSettings

from .connections import OUTSIDE, Connection, Place
from .images import login_server
from .traffic import Peer, Port, TrafficRule, WayOut

ROOTS = "trusted-roots"
"""ConfigMap with the roots, in each namespace whose pods are given them; also the name of their volume."""
ROOTS_FILE = "roots.pem"
ROOTS_STORE = "roots.p12"
"""The same roots as a trust store of Java, PKCS#12 without a password."""
ROOTS_FOLDER = "/etc/trusted-roots"
ROOTS_PATH = f"{ROOTS_FOLDER}/{ROOTS_FILE}"
"""Where pods find every root that they believe: the public authorities', the company's, and the internal CA's."""
ROOTS_LABEL = "platform/trusted-roots"
"""Label of namespaces in which trust-manager keeps the ConfigMap, with the internal CA's root."""

INTERNAL_ROOT = "internal-ca"
"""ConfigMap with the internal CA's root alone, for whoever hands it out."""
INTERNAL_ROOT_LABEL = "platform/internal-ca"
"""Label of namespaces in which trust-manager keeps it."""

ROOTS_VARIABLES: Mapping[str, str] = {
    # Go, OpenSSL and Python's ssl; requests; curl. Each replaces the program's own roots. Node adds them to its own.
    **dict.fromkeys(("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"), ROOTS_PATH),
    "JAVA_TOOL_OPTIONS": (
        f"-Djavax.net.ssl.trustStore={ROOTS_FOLDER}/{ROOTS_STORE} -Djavax.net.ssl.trustStoreType=PKCS12"
    ),
}
"""Variables by which programs find the roots; one that a container states itself stays."""

_ALWAYS_DIRECT = (
    "localhost",
    "127.0.0.1",
    "169.254.169.254",
    "168.63.129.16",
    "konnectivity",
    # Suffixes, without the dot that some programs want and AKS refuses: names of services, and of AKS' API servers.
    "svc",
    "cluster.local",
    "azmk8s.io",
)
"""What AKS itself adds, and what it does not (https://github.com/Azure/AKS/issues/3174)."""


def no_proxy(settings: Settings) -> tuple[str, ...]:
    """Return the names and ranges that nodes and pods reach directly; nothing where there is no proxy.

    Python and old versions of curl know no ranges, so that the address of the Kubernetes API in the cluster stands
    beside its range.
    """
    network = settings.network
    if network.egress_proxy is None:
        return ()
    ranges = (network.address_space, network.pod_cidr, network.service_cidr)
    named = (
        *_ALWAYS_DIRECT,
        str(network.service_cidr[1]),
        *map(str, ranges),
        settings.domain,
        *_private_hosts(settings),
        *network.egress_proxy.no_proxy,
    )
    return tuple(dict.fromkeys(named))


def _private_hosts(settings: Settings) -> Iterator[str]:
    """Yield the hosts that have an address in the network."""
    if settings.private_endpoints:
        yield f"{settings.azure_names.key_vault}.vault.azure.net"
        if settings.registry.tier == "Premium":
            yield login_server(settings.azure_names)
            yield f"{settings.azure_names.container_registry}.{settings.azure.region}.data.azurecr.io"


def proxy_variables(settings: Settings) -> dict[str, str]:
    """Return the variables by which pods use the proxy; nothing where there is none.

    Policies let out HTTPS alone, and plain HTTP stays in the cluster, where short names of services would be sent to
    the proxy: so HTTP is said to have none, which also keeps AKS from naming one.
    https://github.com/Azure/AKS/issues/2887
    """
    proxy = settings.network.egress_proxy
    if proxy is None:
        return {}
    values = {"HTTP_PROXY": "", "HTTPS_PROXY": proxy.url, "NO_PROXY": ",".join(no_proxy(settings))}
    spelled = {name: value for key, value in values.items() for name in (key, key.lower())}
    return {**spelled, "JDK_JAVA_OPTIONS": _java_proxy(proxy, no_proxy(settings))}


def _java_proxy(proxy: EgressProxySettings, direct: Iterable[str]) -> str:
    """Return the same for Java, which reads properties instead (java.net.http.HttpClient by its default selector).

    In a variable of its launcher, since that of the virtual machine names the roots. It knows no ranges, but addresses.
    https://docs.oracle.com/en/java/javase/21/core/java-networking.html#GUID-E6C82625-7C02-4AB3-B15D-0DF8A249CD73
    """
    names = [entry for entry in direct if "/" not in entry]
    patterns = [form for name in names for form in ((name,) if is_range(name) else (name, f"*.{name}"))]
    return f"-Dhttps.proxyHost={proxy.host} -Dhttps.proxyPort={proxy.port} -Dhttp.nonProxyHosts={'|'.join(patterns)}"


def reaches_internet(rules: Iterable[TrafficRule]) -> bool:
    """Whether some pods of a namespace with these rules reach services outside the cluster and its own API."""
    return any(rule.way_out in {WayOut.INTERNET, WayOut.INTERNET_AND_API} for rule in rules)


def by_proxy(rules: Iterable[TrafficRule], network: NetworkSettings) -> tuple[TrafficRule, ...]:
    """Return traffic rules as they are with the environment's proxy: what goes to the internet goes to it instead.

    The Kubernetes API has no address that is known before, so whoever calls it keeps HTTPS to everywhere.
    """
    proxy = network.egress_proxy
    if proxy is None:
        return tuple(rules)
    return tuple(changed for rule in rules for changed in _by_proxy(rule, proxy))


def _by_proxy(rule: TrafficRule, proxy: EgressProxySettings) -> Iterator[TrafficRule]:
    if rule.way_out is not WayOut.INTERNET:
        yield rule
    if rule.way_out in {WayOut.INTERNET, WayOut.INTERNET_AND_API}:
        peers = tuple(Peer(cidr=range_) for range_ in proxy.reached)
        yield replace(rule, name=f"{rule.name}-by-proxy", peers=peers, ports=(Port(proxy.port),))
    if rule.way_out is WayOut.INTERNET and proxy.direct:
        peers = tuple(Peer(cidr=range_) for range_ in proxy.direct)
        yield replace(rule, name=f"{rule.name}-direct", peers=peers)


def connections_by_proxy(connections: Iterable[Connection], network: NetworkSettings) -> tuple[Connection, ...]:
    """Return connections as they are with the environment's proxy."""
    proxy = network.egress_proxy
    if proxy is None:
        return tuple(connections)
    return tuple(changed for connection in connections for changed in _connection_by_proxy(connection, proxy))


def _connection_by_proxy(connection: Connection, proxy: EgressProxySettings) -> Iterator[Connection]:
    at_proxy = replace(connection, receiver=Place.EGRESS_PROXY)
    outside = connection.receiver in OUTSIDE
    if connection.way_out is not WayOut.INTERNET:
        yield connection
        if connection.receiver is Place.INTERNET:
            # A rule for every address is one for the proxy's, too.
            yield replace(at_proxy, needed=False)
    elif outside and proxy.direct:
        yield replace(connection, needed=False)
    if connection.way_out in {WayOut.INTERNET, WayOut.INTERNET_AND_API} and connection.receiver is Place.INTERNET:
        yield replace(at_proxy, ports=(Port(proxy.port),))
