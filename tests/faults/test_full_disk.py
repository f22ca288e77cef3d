"""A disk that is really full, at each stage of a step: a clear error, and the published data as before."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from ecluse.errors import StorageError
from ecluse.step.state import Ending
from tests.faults.test_outages import before_stage, says

STAGES = ("pin", "prepare", "write_candidate", "check", "publish")
MEGABYTES = 16


@pytest.fixture
def disk(tmp_path):
    """The folder of the shop as a small disk of its own."""
    mount = shutil.which("mount")
    options = ["-t", "tmpfs", "-o", f"size={MEGABYTES}m"]
    made = mount and subprocess.run([mount, *options, "none", tmp_path], check=False, capture_output=True, text=True)
    if not made or made.returncode:
        pytest.skip(f"this user may not mount a disk here: {made.stderr.strip() if made else 'no mount'}")
    yield tmp_path
    subprocess.run(["umount", "--lazy", tmp_path], check=True)


@pytest.fixture
def small_shop(disk, bare):
    """The shop on that disk, with its data published."""
    for step in (bare.source, bare.product):
        assert bare.run(step).ending is Ending.PUBLISHED
    return bare


def fill(folder):
    """Leave not one block of the disk."""
    with (folder / "ballast").open("wb", buffering=0) as file:
        while True:
            try:
                file.write(b"\0" * 4096)
            except OSError:
                return


@pytest.mark.parametrize("stage", STAGES)
def test_a_disk_that_gets_full_before_a_stage(small_shop, monkeypatch, stage):
    shop, root = small_shop, small_shop.project.root
    shop.file.write_text("id,amount\n" + "".join(f"{i},{i % 997 + 0.37}\n" for i in range(20_000)))
    before = shop.published()
    before_stage(monkeypatch, stage, lambda: fill(root))
    says(shop, StorageError, lambda: shop.run(shop.source))
    assert shop.published() == before
    monkeypatch.undo()
    (root / "ballast").unlink()
    assert shop.published() == before
    assert shop.run(shop.source).ending is Ending.PUBLISHED
    assert shop.run(shop.product).ending is Ending.PUBLISHED
    shop.services.log.verify()


def test_a_read_that_can_not_be_recorded_is_refused(disk, released, bare):
    fill(disk)
    says(bare, StorageError, bare.load)
    (disk / "ballast").unlink()
    assert bare.load().arrow().num_rows == 2
