"""Other engines read the published tables without Écluse, and agree with it row for row after every kind of change."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from pyiceberg.manifest import FileFormat

from tests.warehouse import strangers
from tests.warehouse.conftest import House
from tests.warehouse.test_foreign import data_file, delete, positions

FIRST = {
    "id": "BIGINT",
    "n": "INTEGER",
    "name": "VARCHAR",
    "price": "DECIMAL(9,2)",
    "moment": "TIMESTAMP WITH TIME ZONE",
}
SQL = """SELECT i::BIGINT AS id, (i * 2)::INTEGER AS n, 'é' || i AS name, (i / 4)::DECIMAL(9,2) AS price,
    TIMESTAMPTZ '2013-02-09 01:02:03.000004+00' + to_seconds(i) AS moment FROM range({}) r(i)"""
NEEDS = {
    "duckdb_iceberg": "needs DuckDB's Iceberg extension: INSTALL iceberg; or DUCKDB_ICEBERG_PYTHON, the Python of an environment "
    "with pytz and duckdb, duckdb-extensions, duckdb-extension-avro, duckdb-extension-iceberg of one version such as 1.5.5",
    "spark": "needs Spark: pip install pyspark, and Java 17 or later; or SPARK_READER_PYTHON, the Python of an environment with "
    "pyspark and pyiceberg[pyarrow]",
}
#: Readers that may live in an environment of their own, and the variable that names its Python.
ELSEWHERE = {"duckdb_iceberg": "DUCKDB_ICEBERG_PYTHON", "spark": "SPARK_READER_PYTHON"}


@dataclass(frozen=True)
class Stage:
    """What the published table was after a change: its metadata file, and its rows as Écluse reads them."""

    name: str
    metadata: str
    rows: list


def changes(house):
    """Every kind of change, one after the other, on partitions of which most are not made again."""
    later = {"title": "VARCHAR", **{name: kind for name, kind in FIRST.items() if name != "name"}}
    as_title = "SELECT * EXCLUDE (name), name AS title FROM ({})"
    yield "append", lambda: [house.published(SQL.format(3), "append", columns=FIRST, partition=p) for p in "ab"]
    yield "replace", lambda: house.published(SQL.format(2), columns=FIRST, partition="a")
    yield (
        "rename and reorder",
        lambda: house.published(
            as_title.format(SQL.format(1)), columns=later, renamed={"title": ("name",)}, partition="c"
        ),
    )
    wide = {**later, "n": "BIGINT", "price": "DECIMAL(18,2)"}
    yield "widen", lambda: house.published(as_title.format(SQL.format(1)), columns=wide, partition="d")
    fewer = {name: kind for name, kind in wide.items() if name != "moment"}
    without = f"SELECT * EXCLUDE (moment) FROM ({as_title.format(SQL.format(2))})"
    yield "drop", lambda: house.published(without, columns=fewer, partition="d")
    yield (
        "add again",
        lambda: house.published(f"SELECT *, DATE '2013-02-09' AS moment FROM ({without})", columns={**fewer, "moment": "DATE"}, partition="e"),
    )  # fmt: skip
    yield (
        "delete",
        lambda: delete(
            house, positions(house, (data_file(house, "a"), 0), (data_file(house, "d"), 1)), FileFormat.PARQUET
        ),
    )


@pytest.fixture(scope="module")
def stages(tmp_path_factory):
    from ecluse.engine import Engine
    from ecluse.store import Database
    from ecluse.warehouse import Warehouse

    folder = tmp_path_factory.mktemp("published")
    database = Database(f"sqlite:///{folder / 'ecluse.db'}")
    house = House(folder, Engine(threads=1), database, Warehouse(folder / "warehouse", database))
    found = []
    for name, change in changes(house):
        change()
        scan = house.warehouse.scan("clean.t", house.warehouse.head("clean.t"))
        rows = house.engine.arrow(f"SELECT * FROM {scan}").to_pylist()
        plain = sorted(([[n, strangers.plain(value)] for n, value in row.items()] for row in rows), key=repr)
        found.append(Stage(name, house.warehouse._open("clean.t").metadata_location, plain))
    yield found
    house.engine.close()
    database.close()


def interpreter(reader):
    """The Python that has the reader: some want other versions of what Écluse needs too, or are very large."""
    return os.environ.get(ELSEWHERE.get(reader, ""), sys.executable)


def available(reader):
    probe = {"spark": "import pyspark", "duckdb_iceberg": "import strangers; strangers.load_iceberg()"}.get(reader, "")
    command = [interpreter(reader), "-c", probe]
    return (
        subprocess.run(command, capture_output=True, check=False, cwd=Path(strangers.__file__).parent).returncode == 0
    )


@pytest.mark.parametrize("reader", list(strangers.READERS))
def test_other_engines_agree_row_for_row_after_every_change(stages, reader):
    if not available(reader):
        pytest.skip(NEEDS[reader])
    script, places = Path(strangers.__file__), [stage.metadata for stage in stages]
    # NOTE: -P keeps the folder of the tests out of the import path; a file there has the name of a library.
    command = [interpreter(reader), "-P", str(script), reader, *places]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    for stage, rows in zip(stages, found, strict=True):
        assert rows == stage.rows, stage.name


def test_the_changes_are_those_that_a_table_goes_through(stages):
    assert [len(stage.rows) for stage in stages] == [6, 5, 6, 7, 8, 10, 8]
    assert [name for name, _ in stages[-1].rows[0]] == ["title", "id", "n", "price", "moment"]
