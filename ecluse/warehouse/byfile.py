"""A snapshot as its data files, each read by itself, for those who remember what they found in a file."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from pyiceberg.schema import Schema
from pyiceberg.table import FileScanTask, Table

from ecluse.model.release import DataFile
from ecluse.model.tablefiles import FileRows
from ecluse.warehouse.foreign import needs_reader
from ecluse.warehouse.objects import Hashes, ObjectStore, Wanted
from ecluse.warehouse.read import select_sql


def rows_by_file(
    objects: ObjectStore,
    hashes: Hashes,
    dataset: str,
    table: Table,
    schema: Schema,
    tasks: Sequence[FileScanTask],
    files: Sequence[DataFile],
) -> tuple[FileRows, ...]:
    """The data files of a plan in its order; none where the rows of any hang on more than its own bytes.

    The digest of each covers its bytes and the schema that it is read by: a renamed column reads the same bytes as
    another table.
    """
    if any(task.delete_files or needs_reader(dataset, table, schema, task) for task in tasks):
        return ()
    local = objects.fetch(dataset, [Wanted(file.path, file.bytes) for file in files], hashes)
    read_as = "\n".join(f"{field.field_id} {field.name} {field.field_type}" for field in schema.fields)
    return tuple(
        FileRows(
            hashlib.sha256(f"{file.sha256}\n{read_as}".encode()).hexdigest(),
            select_sql(schema, {(): [local[file.path]]}),
            file.rows,
        )
        for file in files
    )
