"""Chart values of the page's web server that only the stack knows."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from stacks.platform.common.catalogue import Image
from stacks.platform.common.egress import INTERNAL_ROOT
from stacks.platform.common.ingress_annotations import own_hsts
from stacks.platform.components.enabled import EnabledComponents

from .login import replicas
from .names import PAGE_PORT, SITE
from .routes import CA_FILE


def start_page(components: EnabledComponents, images: Mapping[str, Image], files: Mapping[str, str]) -> dict[str, Any]:
    """Values of the own chart: what it serves, whose health it asks for, and the internal CA where there is one."""
    settings = components.settings
    return {
        "image": images["start-page/nginx"].values(),
        "replicas": replicas(settings.cluster),
        "port": PAGE_PORT,
        "site": SITE,
        # Another text is another pod.
        "checksum": hashlib.sha256(json.dumps(sorted(files.items())).encode()).hexdigest(),
        "files": sorted(files),
        "health": {health.host.label: health.url for health in components.health()},
        "hsts": own_hsts(settings.ingress) or "",
        "authority": {"configMap": INTERNAL_ROOT, "key": CA_FILE.removeprefix("/")} if settings.has_internal_ca else {},
    }
