"""nginx as the front door, with what annotations ask of F5 NGINX: sizes, times, streams, web sockets, cookie."""

from collections.abc import Mapping
from pathlib import Path

from ruamel.yaml import YAML

from stacks.platform.common.catalogue import HELM
from stacks.platform.common.ingress_annotations import STICKY_COOKIE, Exposure, annotations
from stacks.settings import Settings
from tests.support.programs.processes import Program
from tests.support.serving.proxy_pods import nginx


def front_door(
    settings: Settings,
    folder: Path,
    ip: str,
    hosts: dict[str, tuple[Exposure, list[str]]],
    certificate: tuple[Path, Path],
) -> Program:
    """Return the front door at `ip`: host to what it asks for and to its pods, each an address with a port."""
    place = folder / "front-door"
    place.mkdir()
    servers = "\n".join(
        _server(annotations(settings.ingress, exposure), f"{ip}:443 ssl", host, pods, f"{number}")
        for number, (host, (exposure, pods)) in enumerate(hosts.items())
    )
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    places = "\n".join(f"{kind}_temp_path {place / kind};" for kind in kinds)
    text = f"""
worker_processes 2;
pid {place}/pid;
error_log {place}/error.log warn;
events {{ worker_connections 4096; }}
http {{
  access_log off;
  {places}
  ssl_certificate {certificate[0]};
  ssl_certificate_key {certificate[1]};
  map $http_upgrade $connection_upgrade {{ default upgrade; '' ''; }}
{servers}
}}
"""
    return nginx("front-door", place, text, ip, 443)


def _server(asked: Mapping[str, str], listen: str, host: str, pods: list[str], number: str) -> str:
    values = YAML(typ="safe").load((HELM / "nginx-ingress" / "values.yaml").read_text("utf-8"))
    controller = values["controller"]["config"]["entries"]
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
    listen {listen};
    server_name {host};
    client_max_body_size {wanted["client-max-body-size"]};
    location / {{
      proxy_pass http://$pod{number};
      proxy_http_version 1.1;
      proxy_set_header Host $host;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection $connection_upgrade;
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_set_header X-Forwarded-Host $host;
      proxy_set_header X-Forwarded-Proto https;
      proxy_connect_timeout {wanted["proxy-connect-timeout"]};
      proxy_read_timeout {wanted["proxy-read-timeout"]};
      proxy_send_timeout {wanted["proxy-send-timeout"]};
      proxy_buffering {"off" if wanted["proxy-buffering"] == "False" else "on"};
      proxy_buffers {controller["proxy-buffers"]};
      proxy_busy_buffers_size {controller["proxy-busy-buffers-size"]};
      proxy_buffer_size {wanted["proxy-buffer-size"]};
      {cookie}
    }}
  }}"""
