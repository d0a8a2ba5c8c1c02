"""Makes the checkout's tool chain, finishes a half-made one, repairs a moved or broken one."""

import fcntl
import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from .problems import NotReadyError
from .steps import Steps
from .toolchain import CDKTF_ENTRY, STAMP, Toolchain, digest, read_stamp, write_stamp

# Started with .venv/bin/python, this process must not build on the very environment it may have to replace.
BASE_PYTHON: str = getattr(sys, "_base_executable", sys.executable)

PIPENV_REQUIREMENTS = Path(__file__).with_name("pipenv.txt")


@dataclass(frozen=True)
class Part:
    """What an installer brings: minutes on two cores, and megabytes on disk, as measured once."""

    what: str
    minutes: int
    megabytes: int


PACKAGES = Part("Python packages with Node", 2, 1000)
DEVELOPER_PACKAGES = Part("Python packages with Node and those for tests and checks", 3, 1700)
COMMAND_LINE = Part("cdktf's command line", 1, 400)

_LAUNCHER = """#!/bin/sh
exec "{python}" "{script}" "$@"
"""
_LAUNCHED = {"cdktf": "cdktf_launcher.py", "llmctl": "llmctl"}
"""Commands of the virtual environment, and the file of `scripts/` that each starts."""


def ensure(tools: Toolchain, *, dev: bool, rebuild: bool = False) -> None:
    """Make, finish or repair the tool chain; `dev` asks for the packages of tests and checks too.

    Raises NotReadyError with the reason and the fix.
    """
    cache = tools.root / ".cache"
    try:
        (cache / "logs").mkdir(parents=True, exist_ok=True)
        with _lock(cache / "bootstrap.lock"):
            if rebuild:
                _remove(tools.venv)
                _remove(tools.root / "node_modules")
            steps = Steps(cache / "logs" / "bootstrap.log")
            _announce(tools, dev=dev)
            if not tools.packages_ready(dev=dev):
                _install_packages(tools, steps, cache, dev=dev)
            if not tools.node_modules_ready():
                _install_node_modules(tools, steps)
    except OSError as error:
        raise NotReadyError(
            f"cannot write {error.filename or tools.root}: {error.strerror}",
            "use a checkout on a writable disk with 1.5 GB free",
        ) from error


def _announce(tools: Toolchain, *, dev: bool) -> None:
    """Say what is about to be installed, how long that takes and what it fills, before any of it begins."""
    coming = []
    if not tools.packages_ready(dev=dev):
        coming.append(DEVELOPER_PACKAGES if dev else PACKAGES)
    if not tools.node_modules_ready():
        coming.append(COMMAND_LINE)
    if not coming:
        return
    minutes, gigabytes = sum(each.minutes for each in coming), sum(each.megabytes for each in coming) / 1000
    sys.stderr.write(
        f"First this checkout gets {' and '.join(each.what for each in coming)}: about {minutes} "
        f"minute{'s' if minutes > 1 else ''} and {gigabytes:.1f} GB below {tools.root}. Later calls start at once.\n"
    )


def _install_packages(tools: Toolchain, steps: Steps, cache: Path, *, dev: bool) -> None:
    dev = dev or read_stamp(tools.venv).get("dev") is True
    if tools.venv.exists() and not _usable(tools.venv):
        _remove(tools.venv)
    (tools.venv / STAMP).unlink(missing_ok=True)
    pipenv = pipenv_command(steps, cache)
    environment = clean_environment(os.environ) | {
        "PIPENV_VENV_IN_PROJECT": "1",
        "PIPENV_IGNORE_VIRTUALENVS": "1",
        "PIPENV_DONT_LOAD_ENV": "1",
        "PIPENV_NOSPIN": "1",
        "PIPENV_PIPFILE": str(tools.root / "Pipfile"),
    }
    interpreter = [] if tools.venv.exists() else ["--python", BASE_PYTHON]
    title = "Python packages" + (" with those for tests and checks" if dev else "")
    command = [*pipenv, "sync", *interpreter, *(["--dev"] if dev else [])]
    steps.run(
        title, command, cwd=tools.root, env=environment, about_s=60 * (DEVELOPER_PACKAGES if dev else PACKAGES).minutes
    )
    if tools.node is None:
        raise NotReadyError("the installed packages hold no Node", "run `llmctl setup --rebuild`")
    _write_launchers(tools)
    write_stamp(tools.venv, {"lock": digest(tools.root / "Pipfile.lock"), "root": str(tools.root), "dev": dev})


def pipenv_command(steps: Steps, cache: Path) -> list[str]:
    """Return the command that starts the pinned Pipenv, installed into a private environment first if need be.

    LLMCTL_PIPENV names another Pipenv, for machines where it comes from elsewhere.
    """
    if given := os.environ.get("LLMCTL_PIPENV"):
        return [given]
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    folder = cache / f"pipenv-{version}-{digest(PIPENV_REQUIREMENTS)[:8]}"
    command = [str(folder / "bin" / "python"), "-m", "pipenv"]
    if (folder / STAMP).exists() and Path(command[0]).exists():
        return command
    _remove(folder)
    environment = clean_environment(os.environ)
    steps.run("Pipenv: environment", [BASE_PYTHON, "-m", "venv", str(folder)], cwd=cache, env=environment)
    install = ["-m", "pip", "install", "--disable-pip-version-check", "--require-hashes", "-r"]
    steps.run("Pipenv", [command[0], *install, str(PIPENV_REQUIREMENTS)], cwd=cache, env=environment)
    write_stamp(folder, {})
    return command


def npm_command(tools: Toolchain) -> tuple[list[str], dict[str, str]]:
    """Return the command that starts the bundled npm, and its environment.

    Raises NotReadyError when the virtual environment holds none.
    """
    package = tools.node_package
    if package is None:
        raise NotReadyError("the virtual environment holds no Node", "run `llmctl setup --rebuild`")
    npm = package / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    environment = clean_environment(os.environ)
    environment["PATH"] = f"{package / 'bin'}{os.pathsep}{environment.get('PATH', os.defpath)}"
    # As pip does, trust what the machine trusts: companies often have a certificate authority of their own.
    return [str(package / "bin" / "node"), "--use-system-ca", str(npm)], environment


def _install_node_modules(tools: Toolchain, steps: Steps) -> None:
    npm, environment = npm_command(tools)
    folder = tools.root / "node_modules"
    if folder.is_symlink():
        _remove(folder)
    (folder / STAMP).unlink(missing_ok=True)
    # Every native module comes prebuilt for Node 22, so no package has to run code while it is installed.
    command = [*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    steps.run("cdktf command line", command, cwd=tools.root, env=environment, about_s=60 * COMMAND_LINE.minutes)
    if not tools.cdktf_entry.exists():
        raise NotReadyError(f"npm left no {CDKTF_ENTRY}", "run `llmctl setup --rebuild`")
    write_stamp(folder, {"lock": digest(tools.root / "package-lock.json")})


def _write_launchers(tools: Toolchain) -> None:
    for name, script in _LAUNCHED.items():
        launcher = tools.venv / "bin" / name
        text = _LAUNCHER.format(python=tools.python, script=tools.root / "scripts" / script)
        launcher.write_text(text, encoding="utf-8")
        launcher.chmod(0o755)


def _usable(venv: Path) -> bool:
    """Tell whether a virtual environment can be finished in place: its Python is there and it was not moved."""
    pip = venv / "bin" / "pip"
    try:
        first_line = pip.read_text(encoding="utf-8").partition("\n")[0]
    except (OSError, UnicodeDecodeError):
        return False
    return (venv / "bin" / "python").exists() and f"{venv}/bin/" in first_line


def clean_environment(variables: Mapping[str, str]) -> dict[str, str]:
    """Return the environment without what would lead an installer to another Python or Node setup."""
    misleading = {"PYTHONHOME", "PYTHONPATH", "VIRTUAL_ENV", "PIP_USER", "PIP_TARGET", "PIP_PREFIX", "NODE_OPTIONS"}
    return {name: value for name, value in variables.items() if name not in misleading}


def _remove(folder: Path) -> None:
    # A symbolic link here would be somebody's deliberate set-up: only the link goes, never what it points to.
    if folder.is_symlink():
        folder.unlink()
    elif folder.exists():
        shutil.rmtree(folder)


@contextmanager
def _lock(path: Path) -> Iterator[None]:
    """Hold the lock of the checkout's tool chain; says so when another run has it."""
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sys.stderr.write("… another llmctl prepares this checkout, waiting for it\n")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
