"""The source that images are built from: a tree of files in a git object store."""

import hashlib
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from .git import GitError, git


@dataclass(frozen=True)
class Source:
    """A tree of files in a git object store."""

    cwd: Path
    root: str
    """The tree: a commit, tag or tree id."""
    env: Mapping[str, str] = field(default_factory=dict)
    cache: Path | None = None
    """What to drop when the files turn out to be damaged; none where it is not ours."""

    @property
    def commit(self) -> str | None:
        """Git's id of the commit; None for a folder as it is."""
        with suppress(GitError):
            return git("rev-parse", "--verify", f"{self.root}^{{commit}}", cwd=self.cwd, env=self.env).strip()
        return None

    def tree(self, context: str) -> str:
        """Return git's id of the folder `context`, which changes exactly when a file in it does. Raises GitError."""
        return git("rev-parse", "--verify", f"{self.root}:{context.strip('/')}", cwd=self.cwd, env=self.env).strip()

    def files(self, context: str) -> frozenset[str]:
        """Return the paths of the files in the folder `context`. Raises GitError."""
        names = git("ls-tree", "-r", "-z", "--name-only", self.tree(context), cwd=self.cwd, env=self.env)
        return frozenset(filter(None, names.split("\0")))

    def text(self, path: str) -> str:
        """Return the content of a file. Raises GitError when there is none."""
        return git("cat-file", "blob", f"{self.root}:{path}", cwd=self.cwd, env=self.env)

    def export(self, context: str, folder: Path) -> None:
        """Write the files of `context` to the empty `folder`: what was hashed, and nothing beside it.

        Raises GitError.
        """
        # `read-tree -u`, unlike `checkout-index`, fetches everything that a partial clone lacks at once.
        index = folder.with_name(f"{folder.name}.index")
        env = {**self.env, "GIT_INDEX_FILE": str(index), "GIT_WORK_TREE": str(folder)}
        if "GIT_DIR" not in env:
            env["GIT_DIR"] = git("rev-parse", "--absolute-git-dir", cwd=self.cwd).strip()
        try:
            git("read-tree", "--reset", "-u", self.tree(context), cwd=folder, env=env)
        except GitError as error:
            if self.cache is None:
                raise
            shutil.rmtree(self.cache, ignore_errors=True)
            raise GitError(f"the cached source is damaged: {error.message}", "run this to fetch it again") from None
        finally:
            index.unlink(missing_ok=True)


def cached(cache: Path, place: str, kind: str = "") -> Path:
    """Return the folder of the cache that belongs to an address or path."""
    return cache / f"{Path(place).stem}-{hashlib.sha256(place.encode()).hexdigest()[:8]}{kind}"
