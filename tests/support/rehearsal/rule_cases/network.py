"""Cases for the rules about networks, identities and monitoring."""

from __future__ import annotations

from scripts.lab.rehearsal.fake_provider.rules.checks import APPLY, VALIDATE

from .case import Case

APP_ID = "/applications/00000000-0000-4000-8000-000000000000"

CASES: list[Case] = [
    (
        "azurerm_network_security_group",
        VALIDATE,
        {"security_rule": [{"protocol": "TCP"}]},
        "Tcp",
        {"security_rule": [{"protocol": "*"}]},
    ),
    (
        "azurerm_private_dns_resolver_inbound_endpoint",
        VALIDATE,
        {"ip_configurations": [{"private_ip_allocation_method": "Static"}]},
        "private_ip_address",
        {"ip_configurations": [{"private_ip_allocation_method": "Static", "private_ip_address": "10.40.18.20"}]},
    ),
    ("azurerm_nat_gateway", VALIDATE, {"sku_name": "StandardV2"}, "Standard", {"sku_name": "Standard"}),
    ("azurerm_public_ip", VALIDATE, {"sku": "StandardV2"}, "Standard", {"sku": "Standard"}),
    (
        "azurerm_public_ip",
        APPLY,
        {"sku": "Standard", "allocation_method": "Dynamic"},
        "Static",
        {"sku": "Standard", "allocation_method": "Static"},
    ),
    (
        "azurerm_application_gateway",
        APPLY,
        {"probe": [{"host": "a", "pick_host_name_from_backend_http_settings": True}]},
        "only one",
        {"probe": [{"host": None, "pick_host_name_from_backend_http_settings": True}]},
    ),
    (
        "azurerm_federated_identity_credential",
        VALIDATE,
        {"user_assigned_identity_id": "/x"},
        "parent_id",
        {"parent_id": "/x"},
    ),
    ("azurerm_federated_identity_credential", VALIDATE, {"audience": ["a", "b"]}, "1 item", {"audience": ["a"]}),
    ("azurerm_log_analytics_workspace", VALIDATE, {"retention_in_days": 7}, "30", {"retention_in_days": 30}),
    ("azurerm_log_analytics_workspace", VALIDATE, {"name": "log"}, "4 to 63", {"name": "logs"}),
    (
        "azurerm_role_assignment",
        APPLY,
        {"role_definition_id": "/subscriptions/x/roleDefinitions/y|/subscriptions/x"},
        "role_definition_resource_id",
        {"role_definition_id": "/subscriptions/x/roleDefinitions/y"},
    ),
    *(
        (
            f"azuread_application_{of}",
            VALIDATE,
            {"application_id": APP_ID.rsplit("/", 1)[-1]},
            "/applications/",
            {"application_id": APP_ID},
        )
        for of in ("federated_identity_credential", "identifier_uri")
    ),
    ("azuread_group", VALIDATE, {"display_name": "x"}, "security_enabled", {"security_enabled": True}),
    *(
        (
            "azuread_application",
            VALIDATE,
            {place: [{"redirect_uris": ["https://a.example"]}]},
            "trailing slash",
            {place: [{"redirect_uris": ["https://a.example/", "https://a.example/callback"]}]},
        )
        for place in ("web", "single_page_application")
    ),
]
