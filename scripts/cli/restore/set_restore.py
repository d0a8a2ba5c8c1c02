"""A restore of a backup set beside what is there, and the way back: decided once, then done part by part.

The set may be of the environment itself or of another one: then snapshots, or their copies in this region, become disks
here, the database is restored beside this environment's own, and values that the data needs come into its vault.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass

from scripts.backup import counts, restoring
from scripts.backup import manifest as manifests
from scripts.backup.manifest import Count, Manifest, SecretVersion
from scripts.backup.restoring import Journal, RestorePart
from scripts.backup.versions import require_readable
from scripts.core.consent import Consent
from scripts.core.console import err, report
from scripts.core.errors import ExitCode, OperatorError
from stacks.settings.data import DataDisk

from .reach import Reach
from .restored_disks import RestoredDisks
from .restored_uploads import RestoredUploads
from .secret_values import SecretValues


@dataclass(frozen=True, kw_only=True)
class SetRestore:
    """Restores into one environment."""

    reach: Reach
    consent: Consent

    def run(
        self,
        set_id: str,
        parts: Collection[RestorePart],
        disks: Collection[DataDisk],
        *,
        dry_run: bool = False,
        of: Manifest | None = None,
    ) -> list[str]:
        """Restore, or go on with the restore that has begun; return in which counts the set and the result differ.

        `of` is a set of another environment. Raises OperatorError; run again, it goes on where it stopped.
        """
        store = self.reach.opened.store
        journal = restoring.read(store)
        if journal is not None and not journal.complete:
            self._require_same(journal, of.id if of else set_id, of.environment if of else "")
            manifest = self._manifest(journal)
            report(f"Going on with the restore of {journal.set_id}")
        else:
            manifest = of or store.read(set_id)
            journal = self._decided(manifest, parts, disks)
            secrets = SecretValues(self.reach, manifest).chosen(journal.parts)
            for line in restoring.plan(manifest, journal, secrets, self.reach.names):
                err.print(f"  {line}", markup=False, soft_wrap=True)
            if dry_run:
                return []
            into = self.reach.opened.settings.name
            self.consent.obtain(f"Restore this from {manifest.id} of {manifest.environment} into {into}?", {})
            if journal.source:
                store.put(restoring.MANIFEST, manifest.model_dump_json(indent=2) + "\n")
            restoring.write(store, journal)
        return self._carry_out(manifest, journal)

    def use(self, names: Collection[str]) -> None:
        """Use disks that exist, by name. Raises OperatorError; run again, it goes on."""
        RestoredDisks(self.reach).use(names, self.consent)

    def discard(self, name: str, confirmed: str | None) -> None:
        """Delete a disk that is no longer in use, by its name. Raises OperatorError (REFUSED) for one in use."""
        journal = restoring.read(self.reach.opened.store)
        RestoredDisks(self.reach).discard(name, journal, self.consent, confirmed)

    def abort(self) -> list[str]:
        """Go back to what was in use before the restore that has begun; return what stays, in words.

        Raises OperatorError; run again, it goes on.
        """
        store = self.reach.opened.store
        journal = restoring.read(store)
        if journal is None:
            raise OperatorError("no restore has begun", "llmctl backup list", ExitCode.USAGE)
        self.consent.obtain(f"Go back to what was in use before the restore of {journal.set_id}?", {})
        manifest = self._manifest(journal)
        SecretValues(self.reach, manifest).take_back(journal.secrets_before)
        if journal.secrets_before and (journal.disks or journal.source):
            self.reach.refresh()
        stays = RestoredDisks(self.reach).back(journal.disks) if journal.disks else []
        if RestorePart.UPLOADS in journal.done:
            stays.append("uploads that had been missing: nothing was overwritten, so they stay")
        if RestorePart.DATABASE in journal.parts and self._database_is_of(manifest):
            self.reach.database_back(journal.server_before if journal.source else "")
        restoring.clear(store)
        return stays

    def _carry_out(self, manifest: Manifest, journal: Journal) -> list[str]:
        store = self.reach.opened.store
        values = SecretValues(self.reach, manifest)
        if RestorePart.VAULT in journal.parts and RestorePart.VAULT not in journal.done:
            values.recover()
        if not journal.values_back:
            values.bring(journal.secrets)
            if (RestorePart.DISKS in journal.parts or journal.source) and journal.secrets:
                report("The cluster's Secrets follow the vault")
                self.reach.refresh()
            journal = journal.model_copy(update={"values_back": True})
            restoring.write(store, journal)
        for part, act in self._steps(manifest).items():
            if part in journal.parts and part not in journal.done:
                act(journal)
                journal = journal.finished(part)
                restoring.write(store, journal)
        return self._differences(manifest, journal)

    def _steps(self, manifest: Manifest) -> dict[RestorePart, Callable[[Journal], None]]:
        return {
            RestorePart.VAULT: lambda _journal: None,
            RestorePart.DISKS: lambda journal: RestoredDisks(self.reach).make_and_use(manifest, journal.disks),
            RestorePart.DATABASE: lambda _journal: self._database(manifest),
            RestorePart.UPLOADS: lambda _journal: RestoredUploads(self.reach).bring(manifest),
        }

    def _decided(self, manifest: Manifest, parts: Collection[RestorePart], disks: Collection[DataDisk]) -> Journal:
        chosen = tuple(part for part in RestorePart if part in parts)
        lacking = {RestorePart.DATABASE: manifest.database, RestorePart.UPLOADS: manifest.uploads,
                   RestorePart.VAULT: manifest.vault}  # fmt: skip
        if missing := [part for part, found in lacking.items() if part in chosen and found is None]:
            raise OperatorError(
                f"the set {manifest.id} holds no {' and no '.join(missing)}", "choose parts with --only", ExitCode.USAGE
            )
        require_readable(manifest, chosen, self.reach.load())
        if RestorePart.UPLOADS in chosen:
            RestoredUploads(self.reach).require_readable(manifest)
        moves = RestoredDisks(self.reach).moves(manifest, restoring.chosen_disks(disks, chosen))
        values = SecretValues(self.reach, manifest)
        secrets, current = values.chosen(chosen), values.current() if manifest.vault else {}
        own = self.reach.is_own(manifest)
        return Journal(
            set_id=manifest.id,
            source="" if own else manifest.environment,
            server_before=self.reach.opened.place.server,
            parts=chosen,
            disks=moves,
            secrets=secrets,
            secrets_before=tuple(
                SecretVersion(name=secret.name, version=current[secret.name])
                for secret in secrets
                if secret.name in current
            ),
        )

    def _manifest(self, journal: Journal) -> Manifest:
        store = self.reach.opened.store
        if not journal.source:
            return store.read(journal.set_id)
        return manifests.parse(store.text(restoring.MANIFEST), restoring.MANIFEST)

    def _require_same(self, journal: Journal, set_id: str, source: str) -> None:
        if set_id in ("latest", journal.set_id) and source in ("", journal.source):
            return
        name = self.reach.opened.settings.name
        raise OperatorError(
            f"a restore of {journal.set_id}{f' of {journal.source}' if journal.source else ''} has begun and is not"
            " finished",
            f"`llmctl restore {name}` goes on with it, --abort goes back",
            ExitCode.REFUSED,
        )

    def _database_is_of(self, manifest: Manifest) -> bool:
        """Tell whether the environment file has changed over to the server that the set's restore made."""
        return manifest.database is not None and self.reach.load().database.restore_time_utc == manifest.database.moment

    def _database(self, manifest: Manifest) -> None:
        assert manifest.database is not None
        elsewhere = manifest.region != self.reach.opened.place.region
        self.reach.database(manifest.database.moment, manifest.database.server_id, elsewhere)

    def _differences(self, manifest: Manifest, journal: Journal) -> list[str]:
        counted = self.reach.counted()
        expected: dict[str, Count] = {}
        found: dict[str, int] = {}
        if RestorePart.DISKS in journal.parts:
            expected |= {kind: count for kind, count in manifest.counts.items() if kind in counts.OPIK}
            found |= counted.traces()
        in_database = {k: c for k, c in manifest.counts.items() if k not in counts.OPIK and k != counts.FILES}
        files = {k: c for k, c in manifest.counts.items() if k == counts.FILES}
        for part, kinds in ((RestorePart.DATABASE, in_database), (RestorePart.UPLOADS, files)):
            if part in journal.parts and kinds:
                expected |= kinds
                found |= counted.database()
        return counts.differences(expected, found)
