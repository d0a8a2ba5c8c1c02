"""What builds an image and pushes it: docker buildx, podman, buildah, or Azure itself."""
