"""Where manifests are kept: blobs in the container of backup sets, each under the id of its set."""

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.core.azure import AzureError, az_list, az_text
from scripts.core.errors import ExitCode, OperatorError

from .manifest import SET_ID, Manifest, parse

FOLDER = "sets"
_ADVICE = (
    "manifests need the role Storage Blob Data Contributor (Reader to list) on the resource group of backup sets, which"
    " operators.object_ids have, and an address in operators.ip_ranges"
)


@dataclass(frozen=True, kw_only=True)
class Store:
    """The container of one environment, read and written with the operator's own `az`; tests hand over others."""

    subscription: str
    account: str
    container: str
    ask_list: Callable[..., list[Any]] = az_list
    tell: Callable[..., str] = az_text

    def ids(self) -> list[str]:
        """Return the ids of all sets, oldest first. Raises OperatorError."""
        found = self._advised(
            lambda: self.ask_list("storage", "blob", "list", *self._place(), "--prefix", f"{FOLDER}/")
        )
        names = (item["name"].removeprefix(f"{FOLDER}/").removesuffix(".json") for item in found)
        return sorted(name for name in names if SET_ID.fullmatch(name))

    def manifests(self) -> list[Manifest]:
        """Return all sets, oldest first. Raises OperatorError."""
        return [self.read(set_id) for set_id in self.ids()]

    def read(self, set_id: str) -> Manifest:
        """Return one set; `latest` is the newest. Raises OperatorError when there is none."""
        known = self.ids()
        chosen = known[-1] if set_id == "latest" and known else set_id
        if chosen not in known:
            raise OperatorError(
                f"there is no backup set {set_id}", "`llmctl backup list` shows all of them", ExitCode.USAGE
            )
        return parse(self.text(f"{FOLDER}/{chosen}.json"), f"{chosen}.json")

    def write(self, manifest: Manifest) -> None:
        """Write a set; the container keeps the version before. Raises OperatorError."""
        self.put(f"{FOLDER}/{manifest.id}.json", manifest.model_dump_json(indent=2) + "\n")

    def remove(self, set_id: str) -> None:
        """Remove a manifest; Azure can bring it back for some days. Raises OperatorError."""
        self.delete(f"{FOLDER}/{set_id}.json")

    def text(self, name: str) -> str:
        """Return what a blob holds. Raises OperatorError."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "blob"
            self._advised(
                lambda: self.tell(
                    *("storage", "blob", "download", *self._place(), "--name", name),
                    *("--file", str(path), "--no-progress", "--output", "none"),
                )
            )
            return path.read_text("utf-8")

    def put(self, name: str, text: str) -> None:
        """Write a blob. Raises OperatorError."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "blob"
            path.write_text(text, "utf-8")
            self._advised(
                lambda: self.tell(
                    *("storage", "blob", "upload", *self._place(), "--name", name, "--file", str(path)),
                    *("--overwrite", "true", "--content-type", "application/json", "--no-progress"),
                    *("--output", "none"),
                )
            )

    def delete(self, name: str) -> None:
        """Delete a blob. Raises OperatorError."""
        self._advised(lambda: self.tell("storage", "blob", "delete", *self._place(), "--name", name))

    def names(self, folder: str) -> list[str]:
        """Return the names of the blobs in a folder. Raises OperatorError."""
        found = self._advised(
            lambda: self.ask_list("storage", "blob", "list", *self._place(), "--prefix", f"{folder}/")
        )
        return sorted(item["name"] for item in found)

    def _place(self) -> tuple[str, ...]:
        place = ("--account-name", self.account, "--container-name", self.container)
        return ("--subscription", self.subscription, *place, "--auth-mode", "login")

    def _advised(self, act: Callable[[], Any]) -> Any:
        try:
            return act()
        except AzureError as error:
            raise AzureError(error.message, error.fix or _ADVICE, error.code) from None


def store_of(subscription: str, disks: Mapping[str, Any]) -> Store:
    """Return the store that the outputs of the stack `disks` name. Raises OperatorError for one deployed without."""
    if not disks.get("backup_sets_account_name"):
        raise OperatorError(
            "this environment has no place for backup sets yet", "llmctl deploy ENV disks", ExitCode.NOT_READY
        )
    return Store(
        subscription=subscription,
        account=disks["backup_sets_account_name"],
        container=disks["backup_sets_container_name"],
    )
