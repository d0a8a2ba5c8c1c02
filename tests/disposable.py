"""Synthesizes the stacks network and aks from varied settings, for tests of what they contain."""

import json
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from stacks.settings import Settings
from tests.durable import Block, settings

GATEWAY_MODE = {"mode": "application-gateway", "application_gateway": {"sku": "WAF_v2"}}
NAT_MODE = {"outbound": "nat-gateway"}


def network_and_aks(varied: Settings) -> dict[str, Block]:
    """Return the parsed `cdk.tf.json` of both stacks, by stack id."""
    import cdktf

    from stacks.acr import AcrStack
    from stacks.aks import AksStack
    from stacks.database import DatabaseStack
    from stacks.disks import DisksStack
    from stacks.identity import IdentityStack
    from stacks.network import NetworkStack

    with TemporaryDirectory() as folder:
        app = cdktf.App(outdir=folder)
        disks, acr, database = DisksStack(app, varied), AcrStack(app, varied), DatabaseStack(app, varied)
        network = NetworkStack(app, varied, disks=disks, acr=acr, database=database)
        identity = IdentityStack(app, varied)
        AksStack(app, varied, network=network, identity=identity, disks=disks, acr=acr, database=database)
        app.synth()
        return {
            stack: json.loads((Path(folder) / "stacks" / stack / "cdk.tf.json").read_text())
            for stack in ("network", "aks")
        }


@cache
def standard(environment: str) -> dict[str, Block]:
    """Return both stacks of an environment as its file describes it; not to be changed."""
    return network_and_aks(settings(environment))


def named(stack: Block, kind: str, beginning: str) -> Block:
    """Return the one resource of the Terraform type `kind` whose name begins with `beginning`."""
    (found,) = [block for name, block in stack["resource"].get(kind, {}).items() if name.startswith(beginning)]
    resource: dict[str, Any] = found
    return resource
