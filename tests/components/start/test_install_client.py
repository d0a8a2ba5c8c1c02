"""The client installer on every family of systems, with the systems' own tools replaced by recorders.

What the real tools make of it is in tests/live/test_client_network.py: Debian, curl, Python, Node and Java.
"""

import hashlib
import shutil
import ssl
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from stacks.platform.components.enabled import enabled_components
from stacks.platform.components.start.installers import installer_files
from tests.support.start.page import private
from tests.support.web_servers import authority

NAME = "llm-platform-llm-internal"
DONE, CANNOT, WRONG_USE, ANOTHER_CA, NOT_REACHED = range(5)
FAMILIES = {
    "debian": ("ID=debian", f"usr/local/share/ca-certificates/{NAME}.crt", "update-ca-certificates"),
    "ubuntu": ("ID=ubuntu\nID_LIKE=debian", f"usr/local/share/ca-certificates/{NAME}.crt", "update-ca-certificates"),
    "fedora": ("ID=fedora", f"etc/pki/ca-trust/source/anchors/{NAME}.crt", "update-ca-trust"),
    "rocky": (
        'ID="rocky"\nID_LIKE="rhel centos fedora"',
        f"etc/pki/ca-trust/source/anchors/{NAME}.crt",
        "update-ca-trust",
    ),
    "arch": ("ID=arch", f"etc/ca-certificates/trust-source/anchors/{NAME}.crt", "update-ca-trust"),
    "suse": (
        'ID="opensuse-leap"\nID_LIKE="suse opensuse"',
        f"etc/pki/trust/anchors/{NAME}.crt",
        "update-ca-certificates",
    ),
}
BUNDLES = {
    "debian": "/etc/ssl/certs/ca-certificates.crt",
    "ubuntu": "/etc/ssl/certs/ca-certificates.crt",
    "fedora": "/etc/pki/tls/certs/ca-bundle.crt",
    "rocky": "/etc/pki/tls/certs/ca-bundle.crt",
    "arch": "/etc/ssl/certs/ca-certificates.crt",
    "suse": "/etc/ssl/ca-bundle.pem",
}
PLAIN = "awk base64 cat chmod cmp cp cut dirname grep id mkdir mktemp readlink rm rmdir sed sha256sum shasum sort tr"
"""Tools that are everywhere, as they are."""
RECORDER = """#!/bin/sh
echo "${0##*/} $*" >>"$RECORD"
case ${0##*/} in
  curl) case " $* " in *" --output /dev/null "*) exit "${REACHED:-0}" ;; *" --output "*)
      while [ "$1" != --output ]; do shift; done
      cp "$SERVED" "$2" ;; esac ;;
  uname) echo "$SYSTEM" ;;
  keytool) case $1 in
      -importcert) echo "$FINGERPRINT" >"$RECORD.java" ;;
      -delete) rm "$RECORD.java" ;;
      -list) if [ -e "$RECORD.java" ]; then
          echo "llm-platform-llm-internal, Dec 1, 2026, trustedCertEntry, "
          echo "Certificate fingerprint (SHA-256): $FINGERPRINT"
        fi ;; esac ;;
  security) case $1 in find-certificate) echo system roots ;; esac ;;
esac
"""


@dataclass
class Computer:
    """A root folder, and the tools that the installer finds."""

    root: Path
    tools: Path
    script: Path
    authority: str
    system: str = "Linux"

    def run(self, *arguments: str, served: str | None = None, reached: int = 0) -> subprocess.CompletedProcess[str]:
        (self.tools / "served").write_text(self.authority if served is None else served)
        variables = {
            "PATH": str(self.tools),
            "RECORD": str(self.tools / "record"),
            "SERVED": str(self.tools / "served"),
            "REACHED": str(reached),
            "SYSTEM": self.system,
            "FINGERPRINT": fingerprint(self.authority),
            "INSTALL_CLIENT_ROOT": str(self.root),
        }
        command = ["/bin/sh", str(self.script), *arguments]
        return subprocess.run(command, env=variables, capture_output=True, text=True, check=False)

    def install(self, *more: str) -> subprocess.CompletedProcess[str]:
        return self.run("--fingerprint", fingerprint(self.authority), *more)

    def files(self) -> dict[str, str]:
        """Every file and folder of the root, with the files' texts."""
        return {
            str(path.relative_to(self.root)): path.read_text("utf-8") if path.is_file() else ""
            for path in sorted(self.root.rglob("*"))
        }

    def called(self, tool: str) -> list[str]:
        record = self.tools / "record"
        lines = record.read_text("utf-8").splitlines() if record.exists() else []
        return [line for line in lines if line.split()[0] == tool]


def fingerprint(certificate: str) -> str:
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(certificate)).digest().hex(":").upper()


@pytest.fixture(scope="module")
def roots(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """Return two CAs."""
    folder = tmp_path_factory.mktemp("authorities")
    one, two = (authority(folder, name)[0].read_text("utf-8") for name in ("one", "two"))
    return one, two


@pytest.fixture
def computer(tmp_path: Path, roots: tuple[str, str]) -> Computer:
    tools, root = tmp_path / "tools", tmp_path / "root"
    (root / "etc").mkdir(parents=True)
    (root / "var" / "lib").mkdir(parents=True)
    tools.mkdir()
    for name in ("update-ca-certificates", "update-ca-trust", "security", "curl", "uname", "keytool"):
        (tools / name).write_text(RECORDER)
        (tools / name).chmod(0o755)
    for name in PLAIN.split():
        if place := shutil.which(name):
            (tools / name).symlink_to(place)
    script = tmp_path / "install-client.sh"
    script.write_text(installer_files(enabled_components(private()))["install-client.sh"])
    return Computer(root, tools, script, roots[0])


def _is(computer: Computer, family: str) -> tuple[str, str]:
    release, anchor, refresh = FAMILIES[family]
    (computer.root / "etc" / "os-release").write_text(release + "\n")
    return anchor, refresh


@pytest.mark.parametrize("family", FAMILIES)
def test_one_run_trusts_the_ca_where_the_family_looks_and_one_more_undoes_exactly_that(
    computer: Computer, family: str
) -> None:
    anchor, refresh = _is(computer, family)
    before = computer.files()
    done = computer.install()
    assert (done.returncode, done.stderr) == (DONE, "")
    after = computer.files()
    assert after[anchor] == computer.authority
    assert computer.called(refresh) == [f"{refresh} "]
    assert f'"Install": ["/var/lib/{NAME}/ca.crt"]' in after["etc/firefox/policies/policies.json"]
    variables = after[f"etc/profile.d/{NAME}.sh"]
    assert f":-/var/lib/{NAME}/ca.crt" in variables
    assert f'SSL_CERT_FILE="${{SSL_CERT_FILE:-{BUNDLES[family]}}}"' in variables
    mode = stat.S_IMODE((computer.root / anchor).stat().st_mode)
    assert mode == 0o644
    assert computer.install().returncode == DONE
    assert computer.files() == after
    gone = computer.run("--uninstall")
    assert (gone.returncode, gone.stderr) == (DONE, "")
    assert computer.files() == before
    last = f"{refresh} --fresh" if family in {"debian", "ubuntu"} else f"{refresh} "
    assert computer.called(refresh) == [f"{refresh} ", f"{refresh} ", last]


def test_every_service_is_asked_for_by_its_name(computer: Computer) -> None:
    _is(computer, "debian")
    shown = computer.install().stdout
    for label in ("chat", "api", "opik", "grafana", "start"):
        assert f"{label}.llm.internal: resolves, is trusted, answers." in shown


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        (6, "chat.llm.internal: the name does not resolve."),
        (60, "chat.llm.internal: answers, but its certificate is not trusted."),
        (7, "chat.llm.internal: resolves, but does not answer."),
    ],
)
def test_what_is_not_reached_is_said_and_told_by_the_exit_code(computer: Computer, code: int, sentence: str) -> None:
    _is(computer, "debian")
    done = computer.run("--fingerprint", fingerprint(computer.authority), reached=code)
    assert done.returncode == NOT_REACHED
    assert sentence in done.stdout
    assert computer.run("--check", reached=code).returncode == NOT_REACHED
    assert computer.run("--check").returncode == DONE


def test_another_ca_than_that_of_the_fingerprint_changes_nothing(computer: Computer, roots: tuple[str, str]) -> None:
    _is(computer, "debian")
    before = computer.files()
    for served in (roots[1], computer.authority + roots[1], "", "no certificate"):
        done = computer.run("--fingerprint", fingerprint(computer.authority), served=served)
        assert done.returncode == ANOTHER_CA
        assert "Nothing was changed" in done.stderr
    assert computer.files() == before
    assert computer.called("update-ca-certificates") == []


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--fingerprint",),
        ("--fingerprint", "AB:CD"),
        ("--fingerprint", "Z" * 64),
        ("--fingerprint", "a" * 64, "--zone", "../etc"),
        ("--fingerprint", "a" * 64, "--zone", ""),
        ("--trust-me",),
    ],
)
def test_wrong_use_changes_nothing(computer: Computer, arguments: tuple[str, ...]) -> None:
    _is(computer, "debian")
    before = computer.files()
    assert computer.run(*arguments).returncode == WRONG_USE
    assert computer.files() == before


def test_a_fingerprint_may_be_written_in_any_usual_form(computer: Computer) -> None:
    _is(computer, "debian")
    written = fingerprint(computer.authority)
    for form in (written.replace(":", ""), written.lower(), written.replace(":", " ")):
        assert computer.run("--fingerprint", form).returncode == DONE


def test_the_ca_is_fetched_over_https_alone_and_not_at_all_with_a_file(computer: Computer) -> None:
    _is(computer, "debian")
    computer.install()
    (fetched,) = (line for line in computer.called("curl") if "ca.crt" in line)
    assert "--proto =https" in fetched
    assert fetched.endswith("https://start.llm.internal/ca.crt")
    file = computer.tools / "given.crt"
    file.write_text(computer.authority)
    assert computer.install("--ca", str(file)).returncode == DONE
    assert len([line for line in computer.called("curl") if line.endswith("/ca.crt")]) == 1


@pytest.mark.parametrize("system", ["Linux", "Darwin"])
def test_a_dry_run_says_what_it_would_do_and_does_nothing(computer: Computer, system: str) -> None:
    _is(computer, "debian")
    computer.system = system
    before = computer.files()
    done = computer.install("--dry-run")
    assert done.returncode == DONE
    assert "Would run: security add-trusted-cert" in done.stdout or "Would run: update-ca-certificates" in done.stdout
    assert computer.files() == before
    computer.install()
    installed = computer.files()
    assert "Would run: rm" in computer.run("--uninstall", "--dry-run").stdout
    assert computer.files() == installed


def test_another_root_of_the_same_zone_takes_the_place_of_the_first(computer: Computer, roots: tuple[str, str]) -> None:
    anchor, _ = _is(computer, "debian")
    before = computer.files()
    computer.install()
    computer.authority = roots[1]
    done = computer.install()
    assert done.returncode == DONE
    assert "it goes first" in done.stdout
    assert computer.files()[anchor] == roots[1]
    computer.run("--uninstall")
    assert computer.files() == before


def test_a_policy_of_somebody_else_stays_and_what_it_lacks_is_said(computer: Computer) -> None:
    _is(computer, "debian")
    theirs = computer.root / "etc" / "firefox" / "policies" / "policies.json"
    theirs.parent.mkdir(parents=True)
    theirs.write_text('{"policies": {"DisableTelemetry": true}}')
    done = computer.install()
    assert done.returncode == DONE
    assert f'"Install": ["/var/lib/{NAME}/ca.crt"]' in done.stdout
    computer.run("--uninstall")
    assert theirs.read_text() == '{"policies": {"DisableTelemetry": true}}'


def test_a_java_gets_the_ca_and_loses_it_again(computer: Computer) -> None:
    _is(computer, "debian")
    home = computer.root / "usr" / "lib" / "jvm" / "java-21"
    for place in ("bin/java", "lib/security/cacerts"):
        (home / place).parent.mkdir(parents=True)
        (home / place).write_text("")
    (home / "bin" / "java").chmod(0o755)
    assert computer.install().returncode == DONE
    store = home / "lib" / "security" / "cacerts"
    (imported,) = (line for line in computer.called("keytool") if "-importcert" in line)
    assert f"-keystore {store}" in imported
    assert f"-alias {NAME}" in imported
    computer.run("--uninstall")
    assert f"keytool -delete -keystore {store} -storepass changeit -alias {NAME}" in computer.called("keytool")


def test_a_java_that_had_the_ca_before_keeps_it(computer: Computer) -> None:
    _is(computer, "debian")
    home = computer.root / "usr" / "lib" / "jvm" / "java-21"
    for place in ("bin/java", "lib/security/cacerts"):
        (home / place).parent.mkdir(parents=True)
        (home / place).write_text("")
    (home / "bin" / "java").chmod(0o755)
    (computer.tools / "record.java").write_text("theirs")
    assert "has the CA" in computer.install().stdout
    computer.run("--uninstall")
    assert not [line for line in computer.called("keytool") if "-list" not in line]


def test_macos_trusts_by_its_keychain_and_forgets_it_again(computer: Computer) -> None:
    computer.system = "Darwin"
    before = computer.files()
    done = computer.install()
    assert (done.returncode, done.stderr) == (DONE, "")
    kept = computer.root / "var" / "lib" / NAME / "ca.crt"
    keychain = "/Library/Keychains/System.keychain"
    assert computer.called("security")[0] == f"security add-trusted-cert -d -r trustRoot -k {keychain} {kept}"
    assert computer.files()[f"var/lib/{NAME}/bundle.pem"].endswith(computer.authority)
    assert f". /var/lib/{NAME}/environment.sh" in done.stdout
    assert computer.run("--uninstall").returncode == DONE
    assert computer.files() == before
    digest = hashlib.sha1(ssl.PEM_cert_to_DER_cert(computer.authority)).hexdigest().upper()
    assert f"security delete-certificate -Z {digest} {keychain}" in computer.called("security")


def test_a_system_that_nobody_knows_is_left_alone(computer: Computer) -> None:
    (computer.root / "etc" / "os-release").write_text("ID=plan9\n")
    before = computer.files()
    done = computer.install()
    assert done.returncode == CANNOT
    assert "not known" in done.stderr
    assert computer.files() == before


def test_without_its_tools_or_its_record_nothing_is_half_done(computer: Computer) -> None:
    _is(computer, "debian")
    before = computer.files()
    assert computer.run("--uninstall").returncode == DONE
    (computer.tools / "update-ca-certificates").unlink()
    done = computer.install()
    assert done.returncode == CANNOT
    assert "install the package ca-certificates" in done.stderr
    assert computer.files() == before


def test_no_installer_is_left_with_a_placeholder() -> None:
    for text in installer_files(enabled_components(private())).values():
        assert "@ZONE@" not in text
        assert "@HOSTS@" not in text
