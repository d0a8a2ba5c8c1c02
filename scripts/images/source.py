"""The source that images are built from: a commit kept in the cache, or a folder with somebody's changes."""

import hashlib
import shutil
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from scripts.core.errors import ExitCode

from .git import GitError, git, without_login


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


def at_tag(
    url: str,
    tag: str,
    cache: Path,
    tell: Callable[[str], object] = lambda _text: None,
    *,
    commit: str | None = None,
) -> Source:
    """Return the source of a git tag, fetched once: no history, and files only when an image needs them.

    With `commit`, the pinned id of that tag's commit, the source is that commit: a tag can be moved.

    A damaged cache is made again. Raises MovedTagError where the tag names another commit, GitError for all else.
    """
    store = cache / f"{_slug(url)}.git"
    source = Source(store, commit or f"refs/tags/{tag}", {"GIT_DIR": str(store)}, store)
    if store.is_dir():
        with suppress(GitError):
            # Reads every tree of the tag, so damage shows here and not in mid-build.
            git("ls-tree", "-r", "-t", f"refs/tags/{tag}", cwd=store, env=source.env)
            return _checked(source, url, tag, commit)
        try:
            _fetch(store, url, tag, tell)
            git("ls-tree", "-r", "-t", f"refs/tags/{tag}", cwd=store, env=source.env)
        except GitError:
            tell("the cached source is damaged or incomplete; fetching it again")
            shutil.rmtree(store)
        else:
            return _checked(source, url, tag, commit)
    _fetch(store, url, tag, tell)
    return _checked(source, url, tag, commit)


def commit_of_tag(url: str, tag: str) -> str | None:
    """Return the commit that a tag of the repository names now, None where there is no such tag. Raises GitError."""
    said = git("ls-remote", "--tags", url, f"refs/tags/{tag}", f"refs/tags/{tag}^{{}}", cwd=Path.cwd())
    lines = [line.partition("\t") for line in said.splitlines()]
    found = {name: commit for commit, _, name in lines}
    # An annotated tag has an id of its own; `^{}` is the commit behind it.
    return found.get(f"refs/tags/{tag}^{{}}") or found.get(f"refs/tags/{tag}")


class MovedTagError(GitError):
    """A tag names another commit than the pinned one."""

    def __init__(self, url: str, tag: str, pinned: str, found: str) -> None:
        super().__init__(
            f"the tag {tag} of {without_login(url)} names commit {found}, helm/images.yaml pins {pinned}",
            "nothing was built: ask the publisher why the tag moved; `llmctl images pin --again` takes the new commit",
            ExitCode.REFUSED,
        )


def _checked(source: Source, url: str, tag: str, commit: str | None) -> Source:
    """Return the source that was just fetched. Raises MovedTagError where the tag is not the pinned commit."""
    if commit:
        named = f"refs/tags/{tag}^{{commit}}"
        found = git("rev-parse", "--verify", named, cwd=source.cwd, env=source.env).strip()
        if found != commit:
            raise MovedTagError(url, tag, commit, found)
    return source


def of_folder(folder: Path, contexts: list[str], cache: Path) -> Source:
    """Return a working folder as it is now, uncommitted changes included; what its `.gitignore` names is left out.

    The folder's own repository, if it is one, is only read. Raises GitError.
    """
    folder = folder.resolve()
    if not folder.is_dir():
        raise GitError(f"{folder} is not a folder", "name the checkout that --source should build", ExitCode.USAGE)
    missing = [context for context in contexts if not (folder / context).is_dir()]
    if missing:
        raise GitError(f"{folder} has no {missing[0]}", "name the root of the source that --source should build")
    store = cache / f"folder-{_slug(str(folder))}"
    try:
        return _index_folder(folder, contexts, store)
    except GitError:
        shutil.rmtree(store, ignore_errors=True)
        return _index_folder(folder, contexts, store)


def _fetch(store: Path, url: str, tag: str, tell: Callable[[str], object]) -> None:
    tell(f"fetching {without_login(url)} at {tag}")
    store.mkdir(parents=True, exist_ok=True)
    env = {"GIT_DIR": str(store)}
    git("init", "--quiet", "--bare", cwd=store, env=env)
    for key, value in (("url", url), ("promisor", "true"), ("partialclonefilter", "blob:none")):
        git("config", f"remote.origin.{key}", value, cwd=store, env=env)
    reference = f"refs/tags/{tag}"
    try:
        git("fetch", "--quiet", "--depth=1", "--filter=blob:none", "--no-tags", "origin",
            f"+{reference}:{reference}", cwd=store, env=env)  # fmt: skip
    except GitError as error:
        raise GitError(
            f"{without_login(url)} at {tag} cannot be fetched: {error.message}",
            "check the network, or name a checkout with --source",
            ExitCode.NOT_READY,
        ) from None


def _index_folder(folder: Path, contexts: list[str], store: Path) -> Source:
    store.mkdir(parents=True, exist_ok=True)
    env = {"GIT_INDEX_FILE": str(store / "index")}
    if (folder / ".git").exists():
        # The same index entries and ignore rules as the folder's own, but new objects go to the cache.
        objects, index = (
            folder / git("rev-parse", "--git-path", name, cwd=folder).strip() for name in ("objects", "index")
        )
        (store / "objects").mkdir(exist_ok=True)
        env |= {"GIT_OBJECT_DIRECTORY": str(store / "objects"), "GIT_ALTERNATE_OBJECT_DIRECTORIES": str(objects)}
        _follow(index, store)
    else:
        env |= {"GIT_DIR": str(store / "git"), "GIT_WORK_TREE": str(folder)}
        if not (store / "git" / "HEAD").is_file():
            git("init", "--quiet", "--bare", str(store / "git"), cwd=store)
    git("add", "--all", "--", *contexts, cwd=folder, env=env)
    root = git("write-tree", cwd=folder, env=env).strip()
    return Source(folder, root, env)


def _follow(index: Path, store: Path) -> None:
    """Take over the folder's own index when it changed; else keep ours, which knows the changed files' hashes."""
    if not index.is_file():
        return
    state = f"{index.stat().st_mtime_ns} {index.stat().st_size}"
    seen = store / "index.seen"
    if not (store / "index").is_file() or not seen.is_file() or seen.read_text("utf-8") != state:
        shutil.copyfile(index, store / "index")
        seen.write_text(state, "utf-8")


def _slug(text: str) -> str:
    name = Path(text).stem
    return f"{name}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"
