"""What other engines wrote in ways that DuckDB doesn't read: PyIceberg reads it, once, into Parquet of this process.

Everything streams through bounded memory. What PyIceberg doesn't understand either is refused: reading over it would
bring deleted rows back, or show nulls where there are values.
"""

from __future__ import annotations

import atexit
import hashlib
import itertools
import os
import re
import shutil
import tempfile
import uuid
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from pyiceberg.expressions import AlwaysTrue
from pyiceberg.io import FileIO
from pyiceberg.io.pyarrow import ArrowScan, _read_all_delete_files, _read_deletes, schema_to_pyarrow
from pyiceberg.manifest import DataFile, DataFileContent, FileFormat
from pyiceberg.schema import Schema
from pyiceberg.table import FileScanTask, Table
from pyiceberg.table.deletion_vector import PROPERTY_REFERENCED_DATA_FILE, DeletionVector
from pyiceberg.table.puffin import PuffinBlobMetadata, PuffinFile
from pyiceberg.transforms import IdentityTransform

from ecluse.errors import EcluseError, IntegrityError, WarehouseError

#: Where Écluse's own data files lie. They have field ids and every column, so that their footers needn't be asked.
_OURS = re.compile(r"/data/partition=[^/]+/[^/]+-\d+-[0-9a-f]{12}/data_\d{4}\.parquet$")
_POSITIONS = pa.schema([("file_path", pa.string()), ("pos", pa.int64())])
_VECTOR, _MAGIC = "deletion-vector-v1", b"\xd1\xd3\x39\x64"
_AT_ONCE = 1_000_000
_folders: dict[int, Path] = {}


def needs_reader(dataset: str, table: Table, schema: Schema, task: FileScanTask) -> bool:
    """Whether a data file can't be given to DuckDB as it is.

    That is so for files that aren't Parquet or have no field ids, for columns whose value stands only in the partition
    (an identity partition), and for columns that have a default for older files.
    """
    file = task.file
    if file.key_metadata is not None:
        raise WarehouseError("warehouse.foreign_file", dataset=dataset, path=file.file_path, error="encrypted")
    if any(schema.find_field(number).initial_default is not None for number in schema.field_ids):
        return True
    if _OURS.search(file.file_path):
        return False
    if file.file_format != FileFormat.PARQUET:
        return True
    with table.io.new_input(file.file_path).open() as stream:
        found = [field.metadata or {} for field in pq.read_schema(stream)]
    ids = {int(said[b"PARQUET:field_id"]) for said in found if b"PARQUET:field_id" in said}
    spec = table.specs()[file.spec_id]
    written = {field.source_id for field in spec.fields if isinstance(field.transform, IdentityTransform)}
    return len(ids) < len(found) or not written <= ids


def rows_as_parquet(dataset: str, table: Table, schema: Schema, task: FileScanTask) -> Path:
    """A data file's rows, without deleted ones, as PyIceberg reads them."""

    def write(target: Path) -> None:
        _confirm(dataset, task.file, len(table.io.new_input(task.file.file_path)))
        scan = ArrowScan(table.metadata, table.io, schema, AlwaysTrue())
        deletes = _read_all_delete_files(table.io, [task])
        # NOTE: the public to_record_batches holds all batches of a file in memory before it gives the first.
        batches = scan._record_batches_from_scan_tasks_and_deletes([task], deletes)  # noqa: SLF001
        wanted = schema_to_pyarrow(schema, include_field_ids=True)
        with pq.ParquetWriter(target, wanted) as writer:
            for batch in batches:
                writer.write_table(pa.Table.from_batches([batch]).cast(wanted))

    key = [task.file.file_path, *sorted(file.file_path for file in task.delete_files), schema.model_dump_json()]
    return _spooled(dataset, task.file, key, write)


def deletes_as_parquet(dataset: str, io: FileIO, file: DataFile) -> Path:
    """The rows that a delete file names, as Parquet position deletes.

    A deletion vector of a file that was superseded names no row that its successor doesn't name, so all vectors of a
    Puffin file may be read together.
    """
    if file.content != DataFileContent.POSITION_DELETES:
        raise WarehouseError("warehouse.deletes", dataset=dataset, path=file.file_path)
    readers = {FileFormat.PUFFIN: _vectors, FileFormat.ORC: _positions}
    if file.file_format not in readers:
        raise WarehouseError("warehouse.deletes", dataset=dataset, path=file.file_path)

    def write(target: Path) -> None:
        with pq.ParquetWriter(target, _POSITIONS) as writer:
            for location, positions in readers[file.file_format](dataset, io, file):
                writer.write_table(pa.table([[location] * len(positions), positions], schema=_POSITIONS))

    return _spooled(dataset, file, [file.file_path], write)


def _positions(_dataset: str, io: FileIO, file: DataFile) -> Iterator[tuple[str, pa.Array]]:
    for location, positions in _read_deletes(io, file).items():
        for chunk in positions.chunks:
            yield location, chunk.cast(pa.int64())


def _vectors(dataset: str, io: FileIO, file: DataFile) -> Iterator[tuple[str, pa.Array]]:
    with io.new_input(file.file_path).open() as stream:
        payload = stream.read()
    _confirm(dataset, file, len(payload))
    puffin = PuffinFile(payload)
    for blob in puffin.footer.blobs:
        for key, bitmap in enumerate(_bitmaps(dataset, file, blob, puffin.get_blob_payload(blob))):
            for some in _chunks(bitmap):
                positions = pa.array(((key << 32) + position for position in some), pa.int64())
                yield blob.properties[PROPERTY_REFERENCED_DATA_FILE], positions


def _bitmaps(dataset: str, file: DataFile, blob: PuffinBlobMetadata, raw: bytes) -> list[Iterable[int]]:
    """One bitmap for each 2^32 positions. PyIceberg itself looks neither at the kind of a blob nor at its checksum."""
    if blob.type != _VECTOR:
        raise WarehouseError("warehouse.deletes", dataset=dataset, path=file.file_path)
    vector, checksum = raw[4:-4], int.from_bytes(raw[-4:], "big")
    if int.from_bytes(raw[:4], "big") != len(vector) or vector[:4] != _MAGIC or zlib.crc32(vector) != checksum:
        raise IntegrityError("warehouse.damaged_file", dataset=dataset, error=file.file_path)
    return list(DeletionVector._deserialize_bitmap(vector[4:]))  # noqa: SLF001 - the public way ends in a list of ints


def _chunks(bitmap: Iterable[int]) -> Iterator[list[int]]:
    positions = iter(bitmap)
    while some := list(itertools.islice(positions, _AT_ONCE)):
        yield some


def _confirm(dataset: str, file: DataFile, found: int) -> None:
    wanted = file.file_size_in_bytes
    if found != wanted:
        raise IntegrityError("warehouse.altered_file", dataset=dataset, path=file.file_path, found=found, wanted=wanted)


def _spooled(dataset: str, file: DataFile, key: list[str], write: Callable[[Path], None]) -> Path:
    """The Parquet file that ``write`` makes of what never changes; written once by a process, deleted when it ends."""
    target = _folder() / f"{hashlib.sha256(chr(0).join(key).encode()).hexdigest()}.parquet"
    if target.exists():
        return target
    fresh = target.with_name(f"{uuid.uuid4().hex}.part")
    try:
        write(fresh)
        fresh.replace(target)
    except (EcluseError, OSError):
        raise
    except Exception as error:
        # NOTE: PyIceberg says in many ways that it doesn't know how to read a file.
        text = (str(error) or type(error).__name__).splitlines()[0]
        raise WarehouseError("warehouse.foreign_file", dataset=dataset, path=file.file_path, error=text) from error
    finally:
        fresh.unlink(missing_ok=True)
    return target


def _folder() -> Path:
    """A folder of this process alone, which is deleted when it ends."""
    number = os.getpid()
    if number not in _folders:
        _folders[number] = Path(tempfile.mkdtemp(prefix="ecluse-foreign-"))
        atexit.register(shutil.rmtree, _folders[number], ignore_errors=True)
    return _folders[number]
