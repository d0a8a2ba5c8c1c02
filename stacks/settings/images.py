"""How the platform's own container images are made."""

from typing import Annotated, Literal

from pydantic import Field

from .types import Model, text


class ImageSettings(Model):
    """How container images get into the environment's registry."""

    opik: Literal["build", "import"] = "build"
    """`build` makes Opik's images from its source; `import` takes the published ones."""
    builder: Literal["auto", "buildx", "podman", "buildah", "acr"] = "auto"
    """What builds; `acr` builds in Azure and needs no engine here, `auto` takes what is found."""
    importer: Literal["auto", "acr", "skopeo", "crane", "direct"] = "auto"
    """What imports; `acr` lets the registry fetch the images itself."""
    platform: Literal["linux/amd64", "linux/arm64"] = "linux/amd64"
    """Processor of the nodes that images are built for."""
    keep_versions: Annotated[int, Field(ge=1, le=100)] = 3
    """Versions of each image that `llmctl images prune` keeps besides the locked ones."""
    signing_key: (
        Annotated[
            str,
            text(
                r"^(azurekms://|hashivault://|awskms://|gcpkms://|k8s://)\S+$",
                "the address of a key for cosign, such as azurekms://<vault>.vault.azure.net/<key>",
            ),
        ]
        | None
    ) = None
    """Key that cosign signs built and imported images with; left out, nothing is signed."""
    verify_signatures: bool = False
    """Deploy only what `signing_key` has signed, and let the cluster run only images of its own registry, by digest."""
    require_pins: bool = False
    """Refuse to deploy while an image, a chart or a source in use is known by its version alone, under which its
    publisher could put other content; `llmctl images pin` writes the digests and commits."""
