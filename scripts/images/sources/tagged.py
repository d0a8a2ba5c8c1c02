"""The source of a tag, fetched once and kept in the cache."""

import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from scripts.core.errors import ExitCode

from .git import GitError, git, without_login
from .tree import Source, cached


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
    store = cached(cache, url, ".git")
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
