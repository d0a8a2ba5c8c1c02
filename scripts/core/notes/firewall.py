"""What `env check` and `deploy` say of an Application Gateway whose firewall refuses nothing."""

from stacks.settings.network import IngressSettings


def firewall_note(ingress: IngressSettings) -> str:
    """Return a warning while an Application Gateway lets every route through; empty otherwise.

    Its firewall's custom rules alone refuse what no host offers; NGINX does it by itself.
    """
    gateway = ingress.application_gateway
    if gateway is None:
        return ""
    if gateway.sku == "Standard_v2":
        return (
            "ingress.application_gateway.sku: Standard_v2 has no web application firewall, so the hosts answer every"
            " path of the applications, administration included, to whoever reaches them; write WAF_v2"
        )
    if gateway.waf_mode == "Detection":
        return (
            "ingress.application_gateway.waf_mode: Detection only logs, so the hosts answer every path of the"
            " applications, administration included; write Prevention once the log shows no request of yours"
        )
    return ""
