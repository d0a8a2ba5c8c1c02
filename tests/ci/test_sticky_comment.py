"""The comment with the diffs of a pull request, written by scripts/ci/sticky-comment through a fake gh."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.support.ci.programs import Programs
from tests.support.ci.workflows import workflow

ROOT = Path(__file__).parents[2]

# Applies the filter with the real jq, as gh does.
GH = """
import subprocess
def field(name):
    value = next(word.partition("=")[2] for word in words if word.startswith(name + "="))
    return pathlib.Path(value[1:]).read_text() if value.startswith("@") else value
known = folder / "comments.json"
comments = json.loads(known.read_text()) if known.exists() else []
method = words[words.index("--method") + 1] if "--method" in words else "GET"
if method == "GET":
    jq = ["jq", "--raw-output", words[words.index("--jq") + 1]]
    sys.exit(subprocess.run(jq, input=json.dumps(comments), text=True).returncode)
if method == "POST":
    comments.append({"id": len(comments) + 1, "user": {"login": "github-actions[bot]"}, "body": field("body")})
else:
    wanted = int(next(word for word in words if "/issues/comments/" in word).rsplit("/", 1)[1])
    next(it for it in comments if it["id"] == wanted)["body"] = field("body")
known.write_text(json.dumps(comments))
"""


def comment(programs: Programs, *texts: str) -> list[dict[str, Any]]:
    files = []
    for number, text in enumerate(texts):
        file = programs.folder / f"diff{number}.md"
        file.write_text(text)
        files.append(str(file))
    done = programs.run("sticky-comment", "7", *files, GITHUB_REPOSITORY="o/r", GH_TOKEN="none")
    assert done.returncode == 0, done.stderr
    found: list[dict[str, Any]] = json.loads((programs.folder / "comments.json").read_text())
    return found


def test_a_pull_request_gets_one_comment_that_is_kept_up_to_date(tmp_path: Path) -> None:
    programs = Programs(tmp_path, gh=GH)
    marker = "<!-- llmctl diff: kept up to date by .github/workflows/diff.yml -->"
    others = [
        {"id": 1, "user": {"login": "someone"}, "body": f"{marker}\nnot from here"},
        {"id": 2, "user": {"login": "github-actions[bot]"}, "body": "another bot's words"},
    ]
    (tmp_path / "comments.json").write_text(json.dumps(others))
    first = comment(programs, "dev: one change\n", "prod: none\n")
    assert first[:2] == others
    assert [it["body"] for it in first[2:]] == [f"{marker}\ndev: one change\nprod: none\n"]
    second = comment(programs, "dev: two changes\n")
    assert second[:2] == others
    assert [it["body"] for it in second[2:]] == [f"{marker}\ndev: two changes\n"]


def test_no_diff_at_all_is_a_failure(tmp_path: Path) -> None:
    programs = Programs(tmp_path, gh=GH)
    done = programs.run("sticky-comment", "7", "diffs/diff-*.md", GITHUB_REPOSITORY="o/r", GH_TOKEN="none")
    assert done.returncode == 1
    assert "no diff arrived (diffs/diff-*.md)" in done.stderr
    assert programs.calls == []


@pytest.mark.parametrize("environments", [("dev",), ("dev", "prod")])
def test_the_comment_holds_every_environment_however_many_there_are(
    environments: tuple[str, ...], tmp_path: Path
) -> None:
    """download-artifact 8 unpacks a single match into `path`, several into folders, unless they are merged."""
    jobs = workflow("diff")["jobs"]
    (uploaded,) = (step["with"] for step in jobs["diff"]["steps"] if "upload-artifact" in step.get("uses", ""))
    assert uploaded["path"] == "diff-${{ matrix.environment }}.md"
    downloaded, comment_step = jobs["comment"]["steps"][1:]
    assert downloaded["with"] == {"pattern": "diff-*", "path": "diffs", "merge-multiple": True}
    (tmp_path / "diffs").mkdir()
    for name in environments:
        (tmp_path / "diffs" / f"diff-{name}.md").write_text(f"{name}: one change\n")
    programs = Programs(tmp_path, gh=GH)
    (tmp_path / "scripts").symlink_to(ROOT / "scripts")
    variables = {"NUMBER": "7", "GITHUB_REPOSITORY": "o/r", "GH_TOKEN": "none", "TMPDIR": str(tmp_path)}
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    subprocess.run(
        ["bash", "-e", "-c", comment_step["run"]], cwd=tmp_path, env=os.environ | variables | {"PATH": path}, check=True
    )
    assert programs.calls
    (found,) = json.loads((tmp_path / "comments.json").read_text())
    assert found["body"].splitlines()[1:] == [f"{name}: one change" for name in environments]


def test_a_comment_never_gets_longer_than_github_takes(tmp_path: Path) -> None:
    (found,) = comment(Programs(tmp_path, gh=GH), *(["x" * 50_000 + "\n"] * 3))
    assert 60_000 < len(found["body"]) < 65_536
    assert "Cut off here" in found["body"]
