"""Released files as a source: kept byte for byte, counted, and nothing else taken for them."""

from __future__ import annotations

import hashlib

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ecluse.engine import Engine, literal
from ecluse.errors import IntegrityError, SourceError
from ecluse.model.contract import Column, Contract
from ecluse.sources import NUMBER, ReleasedFile, ReleasedFiles, collect

CONTRACT = Contract(columns=(Column("id", "BIGINT"), Column("name", "VARCHAR")), owner="shop", licence="CC0")


@pytest.fixture
def engine():
    with Engine(threads=1) as opened:
        yield opened


@pytest.fixture
def released(tmp_path):
    """A source of one file of three rows, told otherwise where the test says so."""
    path = tmp_path / "data_0000.parquet"
    pq.write_table(pa.table({"id": [1, 2, 3], "name": ["a", None, "c"], "more": [0, 0, 0]}), path)
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()

    def read(kept):
        named = f"SELECT *, file_row_number AS {NUMBER} FROM read_parquet({{}}, file_row_number = true)"
        return {origin: f"({named.format(literal(str(copy)))})" for origin, copy in kept.items()}

    def make(**told):
        return ReleasedFiles((ReleasedFile(**{"origin": "o", "path": path, "sha256": sha256, "rows": 3} | told),), read)

    return make


def test_the_rows_are_read_from_the_kept_bytes_with_file_and_number(engine, released, tmp_path):
    source = released()
    found = collect(engine, source, CONTRACT, tmp_path / "raw")
    (file,) = source.files
    begins = file.sha256[:12]
    assert engine.rows(found.sql) == [(1, "a", f"{begins}:1"), (2, None, f"{begins}:2"), (3, "c", f"{begins}:3")]
    (kept,) = found.inputs
    assert (kept.origin, kept.sha256, kept.kept) == ("o", file.sha256, tmp_path / "raw" / file.sha256)
    assert (found.rows, found.rejected, found.counts[0].records) == (3, 0, 3)
    found.close()


def test_no_file_is_no_row(engine, released, tmp_path):
    found = collect(engine, ReleasedFiles((), released().read), CONTRACT, tmp_path / "raw")
    assert engine.rows(found.sql) == []
    assert engine.describe(found.sql) == {"id": "BIGINT", "name": "VARCHAR", "_origin": "VARCHAR"}
    found.close()


@pytest.mark.parametrize(("told", "error"), [({"sha256": "0" * 64}, IntegrityError), ({"rows": 4}, SourceError)])
def test_what_is_not_as_the_manifest_says_is_refused(engine, released, tmp_path, told, error):
    with pytest.raises(error):
        collect(engine, released(**told), CONTRACT, tmp_path / "raw")
