"""Corrected rows: a file whose rows name rows in quarantine, and hold what these should have said."""

from __future__ import annotations

import csv
from collections.abc import Collection, Sequence
from pathlib import Path

from ecluse.engine import Engine, literal, quote
from ecluse.errors import DefinitionError, StorageError
from ecluse.model.contract import Contract
from ecluse.model.names import BROKE, ORIGIN, PARTITION, RAW, REASON, ROW, RUN
from ecluse.model.step import StepDefinition
from ecluse.sources import RawInput, keep_file
from ecluse.step.border import computing
from ecluse.step.held import HELD

#: What stands in a file beside the contract's columns, as ``ecluse quarantine show --to`` writes it.
_BESIDE = (ROW, ORIGIN, BROKE, REASON, RAW, RUN, PARTITION)
#: How commands show a value that they don't show.
HIDDEN = "•••"
_FILE = "_ecluse_corrected"
_ENDINGS = (".csv", ".parquet", ".ndjson", ".jsonl")


def corrected(engine: Engine, raw: Path, definition: StepDefinition, path: Path) -> tuple[str, RawInput]:
    """A query of the rows in quarantine that a file names, with the file's values; the file's bytes are kept.

    Rows are named by ``_row``, else by ``_origin``, else by the contract's key. Columns that the file lacks stay as
    they are. ``DefinitionError`` where a row isn't there, is named twice, or a value isn't of its column's type.
    """
    dataset, contract = definition.name, definition.guard.contract
    if path.suffix.lower() not in _ENDINGS:
        raise DefinitionError("step.fix_format", path=path, known=", ".join(_ENDINGS))
    try:
        kept = keep_file(path, raw, f"quarantine/{path.name}")
        names = _read(engine, path.suffix.lower(), kept.kept, path)
    except OSError as error:
        raise StorageError("step.fix_file", path=path, error=error.strerror or error) from error
    promised = [column.name for column in contract.columns]
    if unknown := [name for name in names if name not in (*promised, *_BESIDE)]:
        known = ", ".join((*promised, *_BESIDE))
        raise DefinitionError("step.fix_columns", path=path, columns=", ".join(unknown), known=known)
    by = _named_by(dataset, contract, path, names)
    given = [name for name in names if name in promised and name not in by]
    if not given:
        raise DefinitionError("step.fix_nothing", path=path, known=", ".join(promised))
    types = {column.name: column.type for column in contract.columns}
    for name in (*given, *(n for n in by if n in types)):
        _confirm_values(engine, path, name, types[name])
    same = " AND ".join(f"h.{quote(n)} IS NOT DISTINCT FROM {_cast('f', n, types)}" for n in by)
    _confirm_named(engine, dataset, path, by, same)
    values = ", ".join(f"{_cast('f', name, types)} AS {quote(name)}" for name in given)
    return f"SELECT h.* REPLACE ({values}) FROM {HELD} AS h JOIN {_FILE} AS f ON {same}", kept


def _read(engine: Engine, ending: str, kept: Path, path: Path) -> list[str]:
    """Make a table of the file's rows, as texts where the format has no types; its columns."""
    source = literal(str(kept))
    with computing("step.fix_unreadable", path=path):
        if ending == ".parquet":
            engine.run(f"CREATE OR REPLACE TEMP TABLE {_FILE} AS SELECT * FROM read_parquet({source})")
        elif ending == ".csv":
            with kept.open(encoding="utf-8-sig", newline="") as file:
                header = next(csv.reader(file), [])
            if not header or len(set(header)) < len(header) or not all(header):
                raise DefinitionError("step.fix_header", path=path)
            columns = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in header)
            # NOTE: nothing is left to the sniffer, which rather reads wrongly than not at all.
            engine.run(
                f"CREATE OR REPLACE TEMP TABLE {_FILE} AS SELECT * FROM read_csv({source}, columns={{{columns}}}, "
                "auto_detect=false, header=true, delim=',', quote='\"', escape='\"', nullstr='', "
                "allow_quoted_nulls=false, strict_mode=true)"
            )
        else:
            lines = f"read_json({source}, format='newline_delimited', records=false, columns={{line: 'JSON'}})"
            engine.run(f"CREATE OR REPLACE TEMP TABLE _ecluse_lines AS SELECT line FROM {lines}")
            keys = engine.rows("SELECT DISTINCT list_sort(json_keys(line)) FROM _ecluse_lines")
            if len(keys) != 1:
                # NOTE: a key that a line lacks would read as null, and overwrite a value that nobody wanted to change.
                raise DefinitionError("step.fix_header", path=path)
            values = ", ".join(f"line ->> {literal(name)} AS {quote(name)}" for name in keys[0][0])
            engine.run(f"CREATE OR REPLACE TEMP TABLE {_FILE} AS SELECT {values} FROM _ecluse_lines")
        return list(engine.describe(f"SELECT * FROM {_FILE}"))


def _named_by(dataset: str, contract: Contract, path: Path, names: Collection[str]) -> tuple[str, ...]:
    for by in ((ROW,), (ORIGIN,), tuple(contract.key)):
        if by and set(by) <= set(names):
            return by
    raise DefinitionError("step.fix_named", path=path, dataset=dataset, key=", ".join(contract.key) or "–")


def _cast(alias: str, name: str, types: dict[str, str]) -> str:
    return f"CAST({alias}.{quote(name)} AS {types.get(name, 'VARCHAR')})"


def _confirm_values(engine: Engine, path: Path, name: str, kind: str) -> None:
    """``DefinitionError`` for values that aren't of the column's type, or that only stand for one that was hidden."""
    text, value = f"CAST({quote(name)} AS VARCHAR)", quote(name)
    wrong = f"{value} IS NOT NULL AND (TRY_CAST({value} AS {kind}) IS NULL OR {text} = {literal(HIDDEN)})"
    if rows := int(engine.scalar(f"SELECT count(*) FROM {_FILE} WHERE {wrong}")):
        raise DefinitionError("step.fix_value", path=path, column=name, type=kind, rows=rows)


def _confirm_named(engine: Engine, dataset: str, path: Path, by: Sequence[str], same: str) -> None:
    """``DefinitionError`` unless each row of the file is one row in quarantine, and no other row of the file is."""
    counts = engine.row(
        f"SELECT count(*) FILTER (n = 0), count(*) FILTER (n > 1) FROM (SELECT f.rowid, count(h.{quote(ROW)}) AS n "
        f"FROM {_FILE} AS f LEFT JOIN {HELD} AS h ON {same} GROUP BY f.rowid)"
    )
    twice = engine.scalar(
        f"SELECT count(*) FROM (SELECT h.{quote(ROW)} FROM {HELD} AS h JOIN {_FILE} AS f ON {same} "
        f"GROUP BY ALL HAVING count(*) > 1)"
    )
    missing, several = (int(count) for count in counts)
    if missing or several or twice:
        fields = {"missing": missing, "several": several, "twice": int(twice)}
        raise DefinitionError("step.fix_rows", path=path, dataset=dataset, by=", ".join(by), **fields)
