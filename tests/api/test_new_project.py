"""A user's first hour: a project is made, built, refused, approved, loaded, verified, and its own tests pass."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import ecluse

#: What this test run needs of its own environment must not leak into the user's commands.
CLEAN = {k: v for k, v in os.environ.items() if not k.startswith(("ECLUSE_", "DAGSTER_"))}


def run(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=CLEAN, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("user") / "orders"
    run(folder.parent, "-m", "ecluse.cli", "init", str(folder))
    return folder


@pytest.fixture(scope="module")
def told(project) -> str:
    return run(project, "demo.py")


def test_the_demo_is_refused_before_the_approval_and_opened_after_it(told):
    refused, opened = told.split("$ ecluse approve")
    assert "REFUSED" in refused
    assert "data-valid" in refused
    assert "1001" in opened
    assert "The log holds" in opened


def test_the_quarantined_row_is_not_loaded(project, told, monkeypatch):
    monkeypatch.setenv("ECLUSE_PROJECT", str(project))
    loaded = ecluse.load("clean.orders", purpose="first-look")
    ids = loaded.arrow().column("order_id").to_pylist()
    assert len(ids) == 9
    assert 1006 not in ids


def test_personal_values_come_as_pseudonyms(project, told, monkeypatch):
    monkeypatch.setenv("ECLUSE_PROJECT", str(project))
    customers = ecluse.load("clean.orders", purpose="first-look").arrow().column("customer").to_pylist()
    assert not any(customer.startswith("c-") for customer in customers)
    assert len(set(customers)) == 5


def test_a_prohibited_purpose_is_refused(project, told, monkeypatch):
    monkeypatch.setenv("ECLUSE_PROJECT", str(project))
    with pytest.raises(ecluse.errors.Refused) as refused:
        ecluse.load("clean.orders", purpose="customer-scoring")
    assert "purpose_prohibited" in {reason.key for reason in refused.value.verdict.reasons}


def test_a_lock_is_verified_until_a_file_changes(project, told, tmp_path, monkeypatch):
    monkeypatch.setenv("ECLUSE_PROJECT", str(project))
    loaded = ecluse.load("clean.orders", purpose="first-look", lock=tmp_path / "data.lock")
    verified = ecluse.verify(tmp_path / "data.lock")
    assert verified.files == len(loaded.manifest.products[0].files)
    file = project / ".ecluse" / "demo" / "warehouse" / loaded.manifest.products[0].files[0].path
    content = file.read_bytes()
    try:
        file.chmod(0o644)
        file.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
        with pytest.raises(ecluse.errors.IntegrityError):
            ecluse.verify(tmp_path / "data.lock")
    finally:
        file.write_bytes(content)


def test_the_second_run_finds_everything_as_it_was(project, told):
    again = run(project, "demo.py")
    assert "unchanged" in again
    assert "REFUSED" in again.split("$ ecluse approve")[0]


def test_the_new_projects_own_tests_pass(project, told):
    assert "1 passed" in run(project, "-m", "pytest", "-q")
