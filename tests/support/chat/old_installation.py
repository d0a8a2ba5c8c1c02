"""An Open WebUI as somebody made it by hand: SQLite, password logins, uploads in its data folder, Chroma."""

import contextlib
import io
import json
import sqlite3
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.support.programs.processes import Program

PASSWORD = "correct horse battery"
LOCAL_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass
class OldInstallation:
    """The server, asked as its browser asks."""

    base: str
    folder: Path
    tokens: dict[str, str] = field(default_factory=dict)

    @property
    def database(self) -> Path:
        """The SQLite file."""
        return self.folder / "data" / "webui.db"

    @property
    def uploads(self) -> Path:
        """The folder of uploads."""
        return self.folder / "data" / "uploads"

    def ask(self, email: str, method: str, path: str, **more: Any) -> Any:
        """Return what it answers to somebody who is logged in."""
        headers = {"Authorization": f"Bearer {self.tokens[email]}"} if email in self.tokens else {}
        answer = httpx.request(method, self.base + path, headers=headers, timeout=120, **more)
        assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.text[:500]}"
        return answer.json()

    def sign_up(self, email: str, name: str) -> str:
        """Make an account, the first one an administrator's; return its id."""
        body = {"name": name, "email": email, "password": PASSWORD}
        if self.tokens:
            found = self.ask(next(iter(self.tokens)), "POST", "/api/v1/auths/add", json={**body, "role": "user"})
        else:
            found = self.ask("", "POST", "/api/v1/auths/signup", json=body)
        self.tokens[email] = found["token"]
        return str(found["id"])

    def fill(self, email: str, name: str) -> Mapping[str, str]:
        """Let somebody use it: chat in a folder, upload, memory, note, knowledge with the file; return their ids."""
        folder = self.ask(email, "POST", "/api/v1/folders/", json={"name": f"folder of {name}"})["id"]
        message: dict[str, Any] = {
            "id": "m",
            "role": "user",
            "content": f"pearls of {name}",
            "parentId": None,
            "childrenIds": [],
            "timestamp": 1700000000,
        }
        written = {
            "title": f"chat of {name}",
            "models": ["phi3.5"],
            "history": {"messages": {"m": message}, "currentId": "m"},
            "messages": [message],
            "tags": [],
        }
        chat = self.ask(email, "POST", "/api/v1/chats/new", json={"chat": written, "folder_id": folder})["id"]
        self.ask(email, "POST", f"/api/v1/chats/{chat}/tags", json={"name": f"tag-{name}"})
        content = io.BytesIO(f"The pearl lies under the stair, says {name}".encode())
        file = self.ask(
            email, "POST", "/api/v1/files/?process=false", files={"file": (f"{name}.txt", content, "text/plain")}
        )["id"]
        note = self.ask(
            email,
            "POST",
            "/api/v1/notes/create",
            json={"title": f"note of {name}", "data": {"content": {"md": "pearl"}}, "access_control": {}},
        )["id"]
        prompt = f"/ask-{name.lower()}"
        self.ask(
            email,
            "POST",
            "/api/v1/prompts/create",
            json={"command": prompt, "title": prompt, "name": prompt, "content": "pearl?", "access_control": {}},
        )
        knowledge = self.ask(
            email,
            "POST",
            "/api/v1/knowledge/create",
            json={"name": f"handbook of {name}", "description": "pearls", "access_control": {}},
        )["id"]
        return {"chat": chat, "folder": folder, "file": file, "note": note, "prompt": prompt, "knowledge": knowledge}


def sql(database: Path, *statements: str) -> None:
    """Write what the interface makes only with models at hand."""
    with contextlib.closing(sqlite3.connect(database)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()


@contextlib.contextmanager
def old_installation(python: Path, folder: Path, address: str, port: int, **more: str) -> Iterator[OldInstallation]:
    """Run Open WebUI out of an environment of Python."""
    for name in ("data", "tmp", "static"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    environment = {
        "PATH": f"{python.parent}:{LOCAL_PATH}",
        "DATA_DIR": str(folder / "data"),
        "STATIC_DIR": str(folder / "static"),
        "HOME": str(folder / "tmp"),
        "TMPDIR": str(folder / "tmp"),
        "FROM_INIT_PY": "true",
        "WEBUI_SECRET_KEY": "the-old-one",
        "OFFLINE_MODE": "True",
        "RAG_EMBEDDING_ENGINE": "openai",
        "RAG_OPENAI_API_BASE_URL": "http://127.0.0.1:9/v1",
        "ENABLE_OLLAMA_API": "False",
        "ENABLE_OPENAI_API": "False",
        "USER_PERMISSIONS_FEATURES_NOTES": "True",
        "USER_PERMISSIONS_WORKSPACE_PROMPTS_ACCESS": "True",
        "USER_PERMISSIONS_WORKSPACE_KNOWLEDGE_ACCESS": "True",
        "SCARF_NO_ANALYTICS": "true",
        "DO_NOT_TRACK": "true",
        "ANONYMIZED_TELEMETRY": "false",
        **more,
    }
    command = [str(python), "-m", "uvicorn", "open_webui.main:app", f"--host={address}", f"--port={port}"]
    program = Program("old", command, folder, environment, address, port, health="/health", start_s=600)
    with program.running():
        yield OldInstallation(f"http://{address}:{port}", folder)


def main() -> None:
    """Write what an older Open WebUI keeps after two people have used it: PYTHON FOLDER OUTPUT.

    `tests/live/programs/chat/open_webui_0.6.36.sql` is made by it, with Open WebUI 0.6.36 of PyPI.
    """
    python, folder, output = map(Path, sys.argv[1:])
    with old_installation(python, folder, "127.0.0.1", 18806) as old:
        people = {name: old.sign_up(f"{name.lower()}@example.com", name) for name in ("Undine", "Nereus")}
        made = {name: old.fill(f"{name.lower()}@example.com", name) for name in people}
        group = old.ask(
            "undine@example.com", "POST", "/api/v1/groups/create", json={"name": "divers", "description": "divers"}
        )["id"]
    ids = json.dumps({"file_ids": [made["Undine"]["file"]]})
    members = json.dumps([people["Undine"], people["Nereus"]])
    sql(
        old.database,
        f"UPDATE knowledge SET data = '{ids}' WHERE id = '{made['Undine']['knowledge']}'",
        f"UPDATE \"group\" SET user_ids = '{members}' WHERE id = '{group}'",
        "INSERT INTO memory (id, user_id, content, updated_at, created_at)"
        f" VALUES ('memory-1', '{people['Undine']}', 'likes pearls', 1, 1)",
        # Of no use in this version, and more than its own migration can do.
        "INSERT INTO channel_member (id, channel_id, user_id, created_at) VALUES ('member-1', 'gone', 'gone', 1)",
        "DELETE FROM config",
        "DELETE FROM auth",
    )
    with contextlib.closing(sqlite3.connect(old.database)) as connection:
        output.write_text("\n".join(connection.iterdump()) + "\n", "utf-8")


if __name__ == "__main__":
    main()
