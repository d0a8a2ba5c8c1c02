"""Checksums are renewed from what the projects publish, whatever form their pages have."""

import json
from pathlib import Path

import pytest

from scripts.tools.catalogue import FILE, tool
from scripts.tools.published import main, published, renewed

ONE, OTHER = "1" * 64, "2" * 64
COMMIT = "3" * 40


def answer(url: str) -> str:
    return json.dumps({"Origin": {"Hash": COMMIT}}) if url.endswith("/@v/v1.15.8.info") else ONE


@pytest.mark.parametrize(
    ("name", "page"),
    [
        ("terraform", f"{OTHER}  terraform_1.15.8_linux_arm64.zip\n{ONE}  terraform_1.15.8_linux_amd64.zip\n"),
        ("kubectl", ONE),
        ("kubelogin", f"{ONE} *./kubelogin-linux-amd64.zip\n"),
        ("helm", f"{ONE}  helm-v3.18.4-linux-amd64.tar.gz\n"),
    ],
)
def test_the_sum_of_this_release_is_taken(name: str, page: str) -> None:
    assert published(tool(name, "linux-amd64"), page) == ONE


@pytest.mark.parametrize("page", ["", "<html>Not found</html>", f"{ONE}  a.zip\n{OTHER}  b.zip\n"])
def test_a_page_that_does_not_say_it_clearly_is_refused(page: str) -> None:
    with pytest.raises(ValueError, match="unpack"):
        published(tool("terraform", "linux-amd64"), page)


def test_a_changed_sum_is_written_and_checking_alone_writes_nothing(tmp_path: Path) -> None:
    file = tmp_path / "tools.toml"
    file.write_text(FILE.read_text("utf-8"), "utf-8")
    assert main(["--check"], file, answer) == 1
    assert file.read_text("utf-8") == FILE.read_text("utf-8")
    assert main([], file, answer) == 0
    assert file.read_text("utf-8").count(ONE) == 14
    assert file.read_text("utf-8").count(COMMIT) == 1
    assert renewed(file.read_text("utf-8"), answer) == file.read_text("utf-8")
    assert main([], file, lambda _url: "nothing") == 1
