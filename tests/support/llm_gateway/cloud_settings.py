"""An environment with models outside the network, for tests."""

from functools import cache
from pathlib import Path

from stacks.settings import Settings, parse_settings

FILE = Path(__file__).parents[2] / "environments" / "valid.cloud_models.yaml"
RESOURCE = (
    "/subscriptions/4a5f0b9e-7c1d-4e52-9d38-0c6b1f2a7e90/resourceGroups/rg-ai/providers"
    "/Microsoft.CognitiveServices/accounts/acme-sweden"
)


@cache
def cloud_settings() -> Settings:
    """Return the settings: an own model, one on Azure that answers for it, and one of another service with a key."""
    return parse_settings(FILE.read_text("utf-8"), FILE.name)
