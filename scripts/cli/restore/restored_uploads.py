"""Chat uploads of a set: a deleted share comes back, and files that are missing from a snapshot of it."""

from dataclasses import dataclass

from scripts.applications.adoption.uploads import Uploads
from scripts.backup.manifest import Manifest, ShareSnapshot
from scripts.backup.parts import share_of
from scripts.backup.restoring import RestorePart
from scripts.backup.snapshot_folder import PROGRAM, SnapshotFolder
from scripts.core.console import report
from scripts.core.errors import ExitCode, OperatorError
from stacks.platform.components.chat.names import UPLOADS_FOLDER

from .reach import Reach


@dataclass(frozen=True)
class RestoredUploads:
    """Uploads of one environment."""

    reach: Reach

    def require_readable(self, manifest: Manifest) -> None:
        """Return when the files of another environment's set can be read. Raises OperatorError (NOT_READY).

        They are read before anything is done: where they cannot come, somebody decides to do without them first.
        """
        uploads = manifest.uploads
        assert uploads is not None
        if self.reach.is_own(manifest):
            return
        source, here = manifest.environment, self.reach.opened.settings.name
        try:
            self._folder(uploads, source).sizes()
        except OperatorError as error:
            others = " ".join(f"--only {part}" for part in RestorePart if part is not RestorePart.UPLOADS)
            raise OperatorError(
                f"the uploads of {source} cannot be read: {error.message}; they lie in the share {uploads.share} of the"
                f" storage account {uploads.account} alone, which only the chat of {source} mounts",
                f"`llmctl deploy {source}` brings that chat back; where the account is gone as well, so are they:"
                f" `llmctl restore {source} {manifest.id} --into {here} {others}` restores the rest",
                ExitCode.NOT_READY,
            ) from None

    def _folder(self, uploads: ShareSnapshot, source: str) -> SnapshotFolder:
        return SnapshotFolder(self.reach.chat_of(source), UPLOADS_FOLDER, uploads.moment)

    def bring(self, manifest: Manifest) -> None:
        """Bring files back that are missing; nothing is overwritten. Raises OperatorError; repeated, it goes on."""
        uploads = manifest.uploads
        assert uploads is not None
        if self.reach.is_own(manifest):
            self._recover(uploads)
            self._copy_back(uploads)
        else:
            self._take_over(uploads, manifest.environment)

    def _recover(self, uploads: ShareSnapshot) -> None:
        opened = self.reach.opened
        share = share_of(uploads, opened.place.disks_group)
        if version := opened.azure.shares.deleted(share):
            report(f"Recovering the deleted share {uploads.share}")
            opened.azure.shares.recover(share, version)

    def _copy_back(self, uploads: ShareSnapshot) -> None:
        given = {"action": "restore", "folder": UPLOADS_FOLDER, "moment": uploads.moment}
        for line in self.reach.chat()(PROGRAM.read_text("utf-8"), given):
            if why := line.get("refused"):
                raise OperatorError(f"uploads: {why}", "llmctl backup verify; is the chat running?")
            report(f"{line['restored']} files came back, {line['there']} were there")

    def _take_over(self, uploads: ShareSnapshot, source: str) -> None:
        """Send the files from the other environment's chat to this one's: Azure copies no NFS share by itself."""
        try:
            folder = self._folder(uploads, source)
            found = Uploads(folder, self.reach.chat()).look()
        except OperatorError as error:
            raise OperatorError(
                f"uploads of {source} cannot be read: {error.message}",
                error.fix
                or f"its chat has to run, since files of an NFS share are read through it; `llmctl restore"
                f" {self.reach.opened.settings.name} --abort`, then choose the other parts with --only",
                error.code if error.code is ExitCode.REFUSED else ExitCode.NOT_READY,
            ) from None
        folder.wanted = found["lacking"]
        added = Uploads(folder, self.reach.chat()).take(found["lacking"], lambda _name: None)
        report(f"{added} files came over, {found['there']} were there")
