"""nginx with the configuration that F5 NGINX makes of the Ingress objects' annotations and of its ConfigMap.

What the controller's own template writes stands in `_SERVER` in its order
(https://github.com/nginx/kubernetes-ingress/blob/v5.5.4/internal/configs/version1/nginx.ingress.tmpl); everything else
comes from what is deployed.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from stacks.platform.common.catalogue import HELM
from stacks.platform.common.ingress_annotations import STICKY_COOKIE, Exposure, annotations
from stacks.platform.components.enabled import enabled_components
from stacks.platform.components.ingress.snippets import snippets
from stacks.settings import Settings
from tests.support.programs.processes import Program
from tests.support.serving.proxy_pods import nginx

Hosts = Mapping[str, tuple[Exposure, list[str]]]
"""Host to what it needs of the ingress and to its pods, each an address with a port."""


def front_door(
    settings: Settings,
    folder: Path,
    ip: str,
    hosts: Hosts,
    certificate: tuple[Path, Path],
) -> Program:
    """Return the ingress at `ip`, with HTTPS on port 443."""
    place = folder / "front-door"
    place.mkdir()
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    places = "\n".join(f"{kind}_temp_path {place / kind};" for kind in kinds)
    text = f"""
worker_processes 2;
pid {place}/pid;
error_log {place}/error.log warn;
events {{ worker_connections 4096; }}
http {{
  access_log off;
  # A pod's connections come from its own address.
  proxy_bind {ip};
  {places}
{http_block(settings, hosts, (f"{ip}:443 ssl",), certificate)}
}}
"""
    return nginx("front-door", place, text, ip, 443)


def http_block(settings: Settings, hosts: Hosts, listeners: tuple[str, ...], certificate: tuple[Path, Path]) -> str:
    """Return the content of the block `http`, with every host on each of the listeners."""
    entries = {**_config(), **snippets(enabled_components(settings).routes())}
    servers = "\n".join(
        _server(
            entries,
            annotations(settings.ingress, exposure),
            listeners=listeners,
            host=host,
            pods=pods,
            number=f"{number}",
        )
        for number, (host, (exposure, pods)) in enumerate(hosts.items())
    )
    return f"""
  ssl_certificate {certificate[0]};
  ssl_certificate_key {certificate[1]};
  {entries["http-snippets"]}
  map $http_upgrade $connection_upgrade {{ default upgrade; '' close; }}
  server {{ {" ".join(f"listen {listener} default_server;" for listener in listeners)} server_name _; return 404; }}
{servers}
"""


def _config() -> dict[str, Any]:
    values = YAML(typ="safe").load((HELM / "nginx-ingress" / "values.yaml").read_text("utf-8"))
    entries: dict[str, Any] = values["controller"]["config"]["entries"]
    return entries


def _server(
    entries: Mapping[str, Any],
    asked: Mapping[str, str],
    *,
    listeners: tuple[str, ...],
    host: str,
    pods: list[str],
    number: str,
) -> str:
    wanted = {name.partition("/")[2]: value for name, value in asked.items()}
    sticky = "sticky-cookie-services" in wanted
    share = 100 // len(pods)
    choices = "".join(f"{share}% {pod}; " for pod in pods[:-1])
    known = "".join(f'"~{STICKY_COOKIE}={pod}" {pod}; ' for pod in pods)
    cookie = f'add_header Set-Cookie "{STICKY_COOKIE}=$pod{number}; path=/; httponly; secure";' if sticky else ""
    return f"""
  split_clients $request_id $first{number} {{ {choices}* {pods[-1]}; }}
  map $http_cookie $pod{number} {{ default $first{number}; {known}}}
  server {{
    {" ".join(f"listen {listener};" for listener in listeners)}
    server_tokens off;
    server_name {host};
    {entries["server-snippets"]}
    location / {{
      proxy_http_version 1.1;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection $connection_upgrade;
      {entries["location-snippets"]}
      proxy_connect_timeout {wanted["proxy-connect-timeout"]};
      proxy_read_timeout {wanted["proxy-read-timeout"]};
      proxy_send_timeout {wanted["proxy-send-timeout"]};
      client_max_body_size {wanted["client-max-body-size"]};
      proxy_set_header Host $host;
      proxy_set_header X-Real-IP $remote_addr;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Host $host;
      proxy_set_header X-Forwarded-Port $server_port;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_buffering {"off" if wanted["proxy-buffering"] == "False" else "on"};
      proxy_buffers {entries["proxy-buffers"]};
      proxy_buffer_size {wanted["proxy-buffer-size"]};
      proxy_busy_buffers_size {entries["proxy-busy-buffers-size"]};
      {cookie}
      proxy_pass http://$pod{number};
    }}
  }}"""
