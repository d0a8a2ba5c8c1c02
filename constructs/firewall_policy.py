"""The web application firewall's rules for a front door that takes prompts."""

from collections.abc import Mapping

from cdktf_cdktf_provider_azurerm.resource_group import ResourceGroup
from cdktf_cdktf_provider_azurerm.web_application_firewall_policy import (
    WebApplicationFirewallPolicy,
    WebApplicationFirewallPolicyManagedRules,
    WebApplicationFirewallPolicyManagedRulesExclusion,
    WebApplicationFirewallPolicyManagedRulesExclusionExcludedRuleSet,
    WebApplicationFirewallPolicyManagedRulesExclusionExcludedRuleSetRuleGroup,
    WebApplicationFirewallPolicyManagedRulesManagedRuleSet,
    WebApplicationFirewallPolicyPolicySettings,
)
from constructs import Construct

PROMPTS_LOOK_LIKE_ATTACKS = (
    "REQUEST-930-APPLICATION-ATTACK-LFI",
    "REQUEST-932-APPLICATION-ATTACK-RCE",
    "REQUEST-933-APPLICATION-ATTACK-PHP",
    "REQUEST-941-APPLICATION-ATTACK-XSS",
    "REQUEST-942-APPLICATION-ATTACK-SQLI",
)
"""Rule groups that take SQL, shell commands, paths, PHP and HTML for an attack: what people paste into a chat."""


class FirewallPolicy(Construct):
    """OWASP and bot rules for every request, except that prompts may contain code.

    Argument values are not held against the groups of `PROMPTS_LOOK_LIKE_ATTACKS`; addresses, headers and cookies are,
    and every other rule applies to arguments too. Bodies above the limits are let through, inspected up to them:
    uploads and long conversations are normal here.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        group: ResourceGroup,
        mode: str,
        tags: Mapping[str, str],
    ) -> None:
        super().__init__(scope, construct_id)
        self.policy = WebApplicationFirewallPolicy(
            self,
            "policy",
            name=name,
            location=group.location,
            resource_group_name=group.name,
            policy_settings=WebApplicationFirewallPolicyPolicySettings(
                enabled=True,
                mode=mode,
                request_body_check=True,
                request_body_enforcement=False,
                request_body_inspect_limit_in_kb=128,
                max_request_body_size_in_kb=2000,
                file_upload_enforcement=False,
                file_upload_limit_in_mb=4000,
            ),
            managed_rules=WebApplicationFirewallPolicyManagedRules(
                managed_rule_set=[
                    WebApplicationFirewallPolicyManagedRulesManagedRuleSet(type="OWASP", version="3.2"),
                    WebApplicationFirewallPolicyManagedRulesManagedRuleSet(
                        type="Microsoft_BotManagerRuleSet", version="1.0"
                    ),
                ],
                exclusion=[
                    WebApplicationFirewallPolicyManagedRulesExclusion(
                        match_variable="RequestArgNames",
                        selector="*",
                        selector_match_operator="EqualsAny",
                        excluded_rule_set=WebApplicationFirewallPolicyManagedRulesExclusionExcludedRuleSet(
                            type="OWASP",
                            version="3.2",
                            rule_group=[
                                WebApplicationFirewallPolicyManagedRulesExclusionExcludedRuleSetRuleGroup(
                                    rule_group_name=rules
                                )
                                for rules in PROMPTS_LOOK_LIKE_ATTACKS
                            ],
                        ),
                    )
                ],
            ),
            tags=dict(tags),
        )
