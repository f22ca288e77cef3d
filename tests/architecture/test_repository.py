"""What is committed: nothing of one machine, no download location, nothing that a run left behind."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOCK = (ROOT / "requirements.lock").read_text("utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def committed() -> list[Path]:
    """What Git knows or would add."""
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    done = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip("this is no Git checkout: run the tests in a clone")
    return [ROOT / name for name in done.stdout.split("\0") if name and (ROOT / name).is_file()]


def test_the_lock_names_no_download_location():
    assert not re.search(
        r"https?:|file:|^\s*-|@ ",
        re.sub(r"^#.*$|^ +--hash=sha256:[0-9a-f]{64}( \\)?$", "", LOCK, flags=re.MULTILINE),
        re.MULTILINE,
    )


def test_the_lock_pins_every_package_with_a_hash():
    blocks = re.findall(r"^[a-z0-9][^\n]*(?:\n +--hash[^\n]*)*", LOCK, re.MULTILINE)
    assert len(blocks) > 100
    assert [b.splitlines()[0] for b in blocks if "==" not in b or "--hash=sha256:" not in b] == []


def test_the_lock_holds_everything_that_is_declared():
    wanted = [
        *PROJECT["project"]["dependencies"],
        *(
            r
            for extra in ("dagster", "gx", "polars", "postgres")
            for r in PROJECT["project"]["optional-dependencies"][extra]
        ),
        *(r for group in PROJECT["dependency-groups"].values() for r in group),
    ]
    names = {re.split(r"[\[<>=~!; ]", r)[0].lower().replace("_", "-") for r in wanted}
    assert names - set(re.findall(r"^([a-z0-9._-]+)==", LOCK, re.MULTILINE)) == set()


def test_no_file_names_a_place_of_one_machine():
    home = re.compile(r"(?<![\w.-])/(?:home|root|Users|work|tmp/v|opt/pypi)/\w")
    found = []
    for path in committed():
        if path == Path(__file__) or path.suffix in (".png", ".parquet", ".zip", ".db", ".gz"):
            continue
        found += [f"{path.relative_to(ROOT)}: {m[0]}" for m in home.finditer(path.read_text("utf-8", errors="replace"))]
    assert found == []


def test_nothing_that_a_run_leaves_behind_is_committed():
    left = [p for p in committed() if p.suffix in (".db", ".pem", ".pyc") or "events" in p.relative_to(ROOT).parts[:-1]]
    assert left == []


def test_dagster_is_pointed_at_the_project_by_its_workspace_file_alone():
    assert "dagster" not in PROJECT["tool"]


def test_the_wheel_holds_the_framework_only():
    assert PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"] == ["ecluse"]


@pytest.mark.parametrize(
    "folder",
    ["assets", "benchmarks", "dagster_home", "docs/adr", "expectations", "lineage", "pipelines", "tests"],
)
def test_each_folder_of_the_project_says_what_belongs_there(folder):
    assert (ROOT / folder / "README.md").is_file()
