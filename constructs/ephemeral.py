"""Ephemeral Terraform blocks, for which cdktf 0.21 has no construct."""

from collections.abc import Mapping

from cdktf import TerraformElement
from constructs import Construct


class Ephemeral(TerraformElement):
    """An `ephemeral` block: opened during plan and apply, never written to state or plan.

    Its attributes may be used only where Terraform takes ephemeral values, such as write-only arguments.
    """

    def __init__(self, scope: Construct, id_: str, *, kind: str, config: Mapping[str, object]) -> None:
        super().__init__(scope, id_)
        self._address = f"ephemeral.{kind}.{self.friendly_unique_id}"
        self.cdktf_stack.add_override(self._address, dict(config))

    def attribute(self, name: str) -> str:
        """Return the Terraform expression of one attribute."""
        return f"${{{self._address}.{name}}}"
