"""Calls Open WebUI's own interface as the local administrator; runs in a pod of the chat.

Started by `pod_program` with PARAMETERS: `base` (address of this pod's server), `administrator` (the account's address)
and `calls` (method, path, body; `pages` names the list that an answer holds, page by page, in the `order` given).
Prints one JSON object a call: status and body. So what is changed goes through Open WebUI's rules, its sessions and its
audit log, and no password or token leaves the pod.
"""

import json
import os
import sys
import time
import urllib.error
import urllib.request
import uuid
from typing import Any
from urllib.parse import urlencode

import jwt
import sqlalchemy

SECONDS = 120
"""How long the token is good: for these calls."""


def main(parameters: dict[str, Any]) -> None:
    """Make the calls in their order; the first that fails is the last."""
    token = _token(parameters["administrator"])
    for call in parameters["calls"]:
        answer = (
            _pages(parameters["base"], call, token) if call.get("pages") else _call(parameters["base"], call, token)
        )
        print(json.dumps(answer), flush=True)
        if answer["status"] >= 400:
            return


def _token(administrator: str) -> str:
    engine = sqlalchemy.create_engine(os.environ["DATABASE_URL"])
    with engine.connect() as connection:
        found = connection.execute(
            sqlalchemy.text(
                'SELECT u.id, a.session_stamp FROM "user" u JOIN auth a ON a.id = u.id'
                " WHERE u.email = :email AND u.role = :role"
            ),
            {"email": administrator, "role": "admin"},
        ).one_or_none()
    if found is None:
        sys.exit(f"no administrator {administrator}")
    now = int(time.time())
    # As open_webui/utils/auth.py makes it (0.12): the stamp changes when all sessions of the account are ended.
    claims = {
        "id": found.id,
        "typ": "session",
        "session_stamp": found.session_stamp,
        "iat": now,
        "exp": now + SECONDS,
        "jti": str(uuid.uuid4()),
    }
    return jwt.encode(claims, os.environ["WEBUI_SECRET_KEY"], algorithm="HS256")


def _pages(base: str, call: dict[str, Any], token: str) -> dict[str, Any]:
    items: list[Any] = []
    page = 1
    while True:
        answer = _call(base, {**call, "path": f"{call['path']}?{urlencode({**call['order'], 'page': page})}"}, token)
        if answer["status"] >= 400:
            return answer
        items += answer["body"][call["pages"]]
        if not answer["body"][call["pages"]] or len(items) >= answer["body"]["total"]:
            return {"status": answer["status"], "body": items}
        page += 1


def _call(base: str, call: dict[str, Any], token: str) -> dict[str, Any]:
    body = None if call.get("body") is None else json.dumps(call["body"]).encode()
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    request = urllib.request.Request(base + call["path"], body, headers, method=call["method"])  # noqa: S310
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=60) as answer:
            return {"status": answer.status, "body": json.loads(answer.read() or b"null")}
    except urllib.error.HTTPError as error:
        text = error.read()
        try:
            return {"status": error.code, "body": json.loads(text)}
        except ValueError:
            return {"status": error.code, "body": {"detail": text.decode(errors="replace")[:300]}}


if __name__ == "__main__":
    main(PARAMETERS)  # type: ignore[name-defined]  # noqa: F821 - given by pod_program
