"""No foreign error crosses the warehouse's border, and a full disk changes nothing."""

from __future__ import annotations

import errno
import os
import resource
import signal
import subprocess
import sys
import textwrap

import pyarrow as pa
import pytest
from pyiceberg.exceptions import NoSuchTableError, ValidationException

from ecluse import texts
from ecluse.errors import Conflict, DefinitionError, IntegrityError, StorageError, WarehouseError
from ecluse.warehouse.border import border


@pytest.mark.parametrize(
    ("foreign", "ours"),
    [
        (NoSuchTableError("x"), WarehouseError),
        (ValidationException("x"), Conflict),
        (FileNotFoundError(errno.ENOENT, "gone", "/f"), IntegrityError),
        (pa.ArrowInvalid("not Parquet"), IntegrityError),
        (EOFError(), IntegrityError),
        (OSError(errno.ENOSPC, "No space left on device"), StorageError),
        (PermissionError(errno.EACCES, "Permission denied"), StorageError),
        (OSError(errno.EROFS, "Read-only file system"), StorageError),
    ],
)
def test_foreign_errors_become_ours(foreign, ours):
    with pytest.raises(ours) as caught, border("clean.t"):
        raise foreign
    assert caught.value.__cause__ is foreign
    assert "clean.t" in str(caught.value)


def test_our_own_errors_pass_as_they_are():
    error = DefinitionError("warehouse.columns", dataset="d", missing="-", extra="-", columns="-")
    with pytest.raises(DefinitionError) as caught, border("clean.t"):
        raise error
    assert caught.value is error


@pytest.mark.parametrize("key", sorted(texts.catalogue("en", "warehouse")))
def test_every_error_says_what_was_received_is_allowed_and_can_be_tried_in_both_languages(key):
    for lang in texts.LANGUAGES:
        found = texts.catalogue(lang, "warehouse")[key]
        assert set(found) == {"received", "allowed", "hint"}


FILL = textwrap.dedent(
    """
    import resource, sys
    from pathlib import Path
    from ecluse.engine import Engine
    from ecluse.errors import StorageError
    from ecluse.store import Database
    from ecluse.warehouse import Warehouse

    root = Path(sys.argv[1])
    warehouse, engine = Warehouse(root / "w", Database(f"sqlite:///{root / 'e.db'}")), Engine(threads=1)
    candidate = warehouse.begin("clean.t", {"id": "BIGINT", "h": "VARCHAR"}, partition=None, run_id="full", attempt=1)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, resource.RLIM_INFINITY))
    try:
        warehouse.write(engine, candidate, "SELECT i::BIGINT AS id, md5(i::VARCHAR) AS h FROM range(200000) r(i)", "replace")
    except StorageError as error:
        print(error)
    """
)


@pytest.mark.skipif(not hasattr(resource, "RLIMIT_FSIZE"), reason="needs a system with limits on file sizes")
def test_a_disk_that_takes_no_more_is_said_clearly_and_changes_nothing(house, tmp_path):
    columns = {"id": "BIGINT", "h": "VARCHAR"}
    house.published("SELECT 1::BIGINT AS id, 'x' AS h", columns=columns)
    script = [sys.executable, "-c", FILL, str(tmp_path / "other")]
    done = subprocess.run(
        script,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        preexec_fn=lambda: signal.signal(signal.SIGXFSZ, signal.SIG_IGN),
    )
    assert "could not be read or written for clean.t" in done.stdout, done.stderr
    assert "free space" in done.stdout
    assert not list((tmp_path / "other").rglob("*.parquet"))
    assert house.rows() == [(1, "x")]


def test_a_root_that_can_not_be_a_folder_is_said_clearly(tmp_path, house):
    from ecluse.warehouse import Warehouse

    (tmp_path / "file").write_text("x")
    with pytest.raises(StorageError) as caught:
        Warehouse(tmp_path / "file" / "warehouse", house.database)
    assert caught.value.key == "warehouse.storage"
