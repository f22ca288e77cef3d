"""Proves that ``ecluse`` alone, from the wheel, loads and verifies: ``python base.py PROJECT``, after its demo ran."""

import importlib.util
import os
import sys
import tempfile
from pathlib import Path

import ecluse


def main(project: str) -> None:
    """Load what the project's demo released, verify the lock, and see the door refuse another purpose."""
    for absent in ("dagster", "great_expectations", "pandas", "polars"):
        assert importlib.util.find_spec(absent) is None, f"{absent} is installed, so this proves nothing"
    assert "site-packages" in ecluse.__file__, f"not the installed wheel: {ecluse.__file__}"
    os.environ["ECLUSE_PROJECT"] = project
    with tempfile.TemporaryDirectory() as folder:
        lock = Path(folder) / "data.lock"
        loaded = ecluse.load("clean.orders", purpose="first-look", lock=lock)
        verified = ecluse.verify(lock)
        print(f"loaded {loaded.arrow().num_rows} rows, verified {verified.files} files")
    try:
        ecluse.load("clean.orders", purpose="customer-scoring")
    except ecluse.errors.Refused as refused:
        print(refused)
    else:
        sys.exit("a prohibited purpose was opened")


main(sys.argv[1])
