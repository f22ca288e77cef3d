"""Reads tables without Écluse, as somebody who has only the files would: run as a script, in a process of its own.

``python strangers.py READER METADATA…`` prints, for each metadata file, the columns and rows of ``main`` as JSON. PyIceberg
lists the files, and each reader reads them in its own way; DuckDB's Iceberg extension finds them by itself.
"""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pyiceberg.table import StaticTable

_ZONES = {"timestamp": "TIMESTAMP", "timestamptz": "TIMESTAMP WITH TIME ZONE", "string": "VARCHAR", "long": "BIGINT"}
Rows = list[dict[str, Any]]


def pyarrow(location: str) -> Rows:
    """PyIceberg's own reader, which gives Arrow."""
    return _table(location).scan().to_arrow().to_pylist()


def polars(location: str) -> Rows:
    """Polars' Iceberg scan."""
    import polars as pl

    return pl.scan_iceberg(_table(location)).collect().to_dicts()


def duckdb(location: str) -> Rows:
    """DuckDB's ``read_parquet`` by field id, without the rows that position deletes name."""
    import duckdb as db

    table = _table(location)
    fields = ", ".join(
        f"{f.field_id}: {{name: '{f.name}', type: '{_ZONES.get(str(f.field_type), f.field_type)}', default_value: NULL}}"
        for f in table.schema().fields
    )
    tasks = list(table.scan().plan_files())
    files = [task.file.file_path.removeprefix("file://") for task in tasks]
    deletes = sorted({d.file_path.removeprefix("file://") for task in tasks for d in task.delete_files})
    source = f"read_parquet({files}, schema = MAP {{{fields}}}, filename = true, file_row_number = true)"
    names = ", ".join(f.name for f in table.schema().fields)
    sql = f"SELECT {names} FROM {source} AS kept"
    if deletes:
        gone = f"(SELECT substring(file_path, 8) AS file, pos FROM read_parquet({deletes})) AS gone"
        sql += f" ANTI JOIN {gone} ON file = filename AND pos = file_row_number"
    with db.connect() as connection:
        return connection.sql(sql).to_arrow_table().to_pylist()


def duckdb_iceberg(location: str) -> Rows:
    """DuckDB's own Iceberg extension, which needs nothing else."""
    import duckdb as db

    load_iceberg()
    with db.connect() as connection:
        connection.execute("LOAD iceberg")
        found = connection.execute(f"FROM iceberg_scan('{location.removeprefix('file://')}')")
        names = [column[0] for column in found.description]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def load_iceberg() -> None:
    """Put the extension in place where its package is installed, and load it; DuckDB's own error where there is none."""
    import duckdb as db

    with contextlib.suppress(ImportError):
        from duckdb_extensions import import_extension

        for name in ("avro", "iceberg"):
            import_extension(name)
    with db.connect() as connection:
        connection.execute("LOAD iceberg")


def spark(location: str) -> Rows:
    """Spark's Parquet reader by field id, without the rows that position deletes name."""
    from pyspark.sql import SparkSession
    from pyspark.sql import types as kinds

    session = (
        SparkSession.builder.master("local[1]")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.sql.shuffle.partitions", "1")
        .config("spark.sql.parquet.fieldId.read.enabled", "true")
        .getOrCreate()
    )
    table = _table(location)
    named = {"long": "bigint", "timestamptz": "timestamp", "timestamp": "timestamp_ntz"}
    schema = kinds.StructType(
        [
            kinds.StructField(
                f.name,
                kinds.DataType.fromDDL(named.get(str(f.field_type), str(f.field_type))),
                metadata={"parquet.field.id": f.field_id},
            )
            for f in table.schema().fields
        ]
    )
    tasks = list(table.scan().plan_files())
    rows = session.read.schema(schema).parquet(*[task.file.file_path for task in tasks])
    if deletes := sorted({d.file_path for task in tasks for d in task.delete_files}):
        gone = session.read.parquet(*deletes).selectExpr("regexp_replace(file_path, '^file:(//)?', '') AS file", "pos")
        # NOTE: Spark writes the name of a file as a URL, in which the = of a partition's folder is escaped.
        name = "regexp_replace(url_decode(_metadata.file_path), '^file:(//)?', '') AS file"
        place = name, "_metadata.row_index AS pos"
        rows = rows.selectExpr("*", *place).join(gone, ["file", "pos"], "left_anti").drop("file", "pos")
    return [row.asDict() for row in rows.collect()]


def _table(location: str) -> StaticTable:
    from pyiceberg.table import StaticTable

    return StaticTable.from_metadata(location)


READERS: dict[str, Callable[[str], Rows]] = {
    "pyarrow": pyarrow,
    "polars": polars,
    "duckdb": duckdb,
    "duckdb_iceberg": duckdb_iceberg,
    "spark": spark,
}


def plain(value: Any) -> Any:
    """A value as JSON has it; moments as microseconds since 1970, whatever zone a reader shows them in."""
    if isinstance(value, datetime):
        moment = value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
        return round(moment.timestamp() * 1_000_000)
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return value.isoformat() if isinstance(value, date) else str(value)


def main(reader: str, locations: list[str]) -> None:
    """Print what a reader finds in each table."""
    found = []
    for location in locations:
        rows = READERS[reader](location)
        found.append(sorted(([[name, plain(value)] for name, value in row.items()] for row in rows), key=repr))
    assert "ecluse" not in sys.modules, "a stranger has no Écluse"
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
