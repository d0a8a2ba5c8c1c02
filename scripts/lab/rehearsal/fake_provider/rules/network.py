"""What azurerm, azuread and Azure refuse about networks, identities and monitoring."""

from __future__ import annotations

from .checks import APPLY, VALIDATE, Rule, between, each, matching, on, one_of, refused, when

_NETWORK_RULES = (
    on(
        "azurerm_network_security_group",
        VALIDATE,
        "security_rule",
        each(
            lambda rule: rule.get("protocol") in {None, "*", "Ah", "Esp", "Icmp", "Tcp", "Udp"},
            "protocol is one of *, Ah, Esp, Icmp, Tcp, Udp",
        ),
    ),
    on("azurerm_nat_gateway", VALIDATE, "sku_name", one_of("Standard")),
    when(
        "azurerm_private_dns_resolver_inbound_endpoint",
        VALIDATE,
        lambda get: any(
            (found.get("private_ip_allocation_method") == "Static") != bool(found.get("private_ip_address"))
            for found in get("ip_configurations") or []
        ),
        "private_ip_address is set with the allocation method Static, and with no other",
    ),
    on("azurerm_public_ip", VALIDATE, "sku", one_of("Basic", "Standard")),
    when(
        "azurerm_public_ip",
        APPLY,
        lambda get: get("sku") != "Basic" and get("allocation_method") == "Dynamic",
        "Static IP Allocation must be used when creating Standard SKU Public IP Addresses.",
    ),
    when(
        "azurerm_application_gateway",
        APPLY,
        lambda get: any(
            bool(probe.get("host")) == bool(probe.get("pick_host_name_from_backend_http_settings"))
            for probe in get("probe") or []
        ),
        "one of `host` or `pick_host_name_from_backend_http_settings` must be set on a probe, and only one",
    ),
)

_OTHER_RULES = (
    on(
        "azurerm_federated_identity_credential",
        VALIDATE,
        "user_assigned_identity_id",
        refused('An argument named "user_assigned_identity_id" is not expected here: use `parent_id`'),
    ),
    when(
        "azurerm_federated_identity_credential",
        VALIDATE,
        lambda get: len(get("audience") or []) > 1,
        "Too many list items: attribute audience supports 1 item maximum",
    ),
    on("azurerm_log_analytics_workspace", VALIDATE, "retention_in_days", between(30, 730)),
    on(
        "azurerm_log_analytics_workspace",
        VALIDATE,
        "name",
        matching("[A-Za-z0-9][A-Za-z0-9-]{2,61}[A-Za-z0-9]", "4 to 63 letters, digits and dashes"),
    ),
    when(
        "azurerm_role_assignment",
        APPLY,
        lambda get: "|" in str(get("role_definition_id") or ""),
        "parsing the role definition id: use `role_definition_resource_id` of a custom role",
    ),
    *(
        on(
            of,
            VALIDATE,
            "application_id",
            matching("/applications/[0-9a-f-]{36}", "it is /applications/<guid>, the id of the application"),
        )
        for of in (
            "azuread_application_federated_identity_credential",
            "azuread_application_identifier_uri",
        )
    ),
    when(
        "azuread_group",
        VALIDATE,
        lambda get: not (get("security_enabled") or get("mail_enabled")),
        "one of `mail_enabled,security_enabled` must be specified",
    ),
    *(
        on(
            "azuread_application",
            VALIDATE,
            path,
            each(
                lambda uri: str(uri).count("/") > 2 or "//" not in str(uri),
                "a URI without a path needs a trailing slash",
            ),
        )
        for path in ("web.redirect_uris", "single_page_application.redirect_uris")
    ),
)

RULES: tuple[Rule, ...] = (*_NETWORK_RULES, *_OTHER_RULES)
