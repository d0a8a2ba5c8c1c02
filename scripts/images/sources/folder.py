"""The source of a folder with somebody's changes, hashed by git without touching the folder's own repository."""

import shutil
from pathlib import Path

from scripts.core.errors import ExitCode

from .git import GitError, git
from .tree import Source, cached


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
    store = cached(cache, str(folder), ".folder")
    try:
        return _index_folder(folder, contexts, store)
    except GitError:
        shutil.rmtree(store, ignore_errors=True)
        return _index_folder(folder, contexts, store)


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
