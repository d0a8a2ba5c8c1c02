"""What a component gets when it is put into the stack."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from cdktf import ITerraformDependable, TerraformStack

from stacks.common.outputs import AddressOutputs, AksOutputs, DatabaseOutputs, DisksOutputs, IdentityOutputs
from stacks.platform.common.catalogue import Image
from stacks.platform.common.namespace_bounds import Namespace
from stacks.settings import Settings

from .enabled import EnabledComponents


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """The stack and what stands in it already; values may be Terraform tokens."""

    scope: TerraformStack
    components: EnabledComponents
    images: Mapping[str, Image]
    """The images to deploy, by `<chart>/<image>`."""
    namespaces: Mapping[str, Namespace]
    cluster: AksOutputs
    address: AddressOutputs
    database: DatabaseOutputs
    """The PostgreSQL server and the vault."""
    read_disks: Callable[[], DisksOutputs]
    read_identity: Callable[[], IdentityOutputs]
    """Called by components that need it: reading another stack's state is a part of what is deployed."""
    added: dict[str, ITerraformDependable] = field(default_factory=dict)
    """What those that come later have to wait for, by component."""

    @property
    def settings(self) -> Settings:
        """The environment."""
        return self.components.settings

    def bounded_by(self, added: ITerraformDependable) -> "Context":
        """Return the context in which whatever comes into a namespace waits for `added`, too."""
        bounded = {name: replace(one, bounds=(*one.bounds, added)) for name, one in self.namespaces.items()}
        return replace(self, namespaces=bounded)

    def after(self, *names: str) -> list[ITerraformDependable]:
        """Return what has to be done before anything that needs these components; nothing for those that are off."""
        return [self.added[name] for name in names if name in self.added]
