"""Rows that didn't pass, for people to look at: personal and sensitive values stay hidden."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ecluse.errors import DefinitionError, StorageError
from ecluse.model.contract import Classification
from ecluse.model.names import BROKE, ORIGIN, PARTITION, RAW, REASON, ROW, RUN, quarantine_name
from ecluse.step.corrected import HIDDEN
from ecluse.step.held import named

if TYPE_CHECKING:
    from ecluse.cli.reading import Reading

_SHOWN = (Classification.PUBLIC, Classification.INTERNAL)


@dataclass(frozen=True)
class Rows:
    """Some rows of a table, with its column names in order."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]

    def picked(self, names: Sequence[str]) -> Rows:
        """Only the columns of these names, in their order; a name that there isn't is left out."""
        places = [self.columns.index(name) for name in names if name in self.columns]
        return Rows(tuple(self.columns[p] for p in places), tuple(tuple(row[p] for p in places) for row in self.rows))


def classifications(project: Reading, dataset: str) -> dict[str, Classification]:
    """How widely each column may be seen, as the newest publication of the dataset says."""
    found: dict[str, Classification] = {}
    for signed in project.log.facts(kind="publication"):
        if signed.fact.predicate["dataset"] == dataset:
            found = {c["name"]: Classification(c["classification"]) for c in signed.fact.predicate["columns"]}
    return found


def quarantined(
    project: Reading, dataset: str, *, partition: str | None = None, check: str | None = None, limit: int | None = 3
) -> Rows:
    """Rows in the quarantine of what is published, with why they are there; empty where there is none."""
    from ecluse.engine import Engine, literal

    table = quarantine_name(dataset)
    head = project.warehouse.head(table)
    if head is None:
        return Rows((), ())
    columns = project.warehouse.columns(table, head)
    wanted = ["true"]
    if partition is not None:
        wanted.append(f"{PARTITION} = {literal(partition)}")
    if check is not None:
        wanted.append(f"list_contains(string_split({BROKE}, ', '), {literal(check)})")
    known = classifications(project, dataset)
    most = "" if limit is None else f" LIMIT {limit}"
    with Engine() as engine:
        source = named(list(columns), project.warehouse.scan(table, head))
        rows = engine.rows(f"SELECT * FROM ({source}) WHERE {' AND '.join(wanted)}{most}")
    return hidden(Rows((ROW, *columns), tuple(rows)), known)


def write_rows(found: Rows, path: Path) -> list[str]:
    """Write rows to a new CSV file without the columns that are hidden; the columns that it has.

    ``DefinitionError`` where the file is there already, ``StorageError`` where it can't be written.
    """
    places = [p for p in range(len(found.columns)) if all(row[p] != HIDDEN for row in found.rows)]
    shown = Rows(tuple(found.columns[p] for p in places), tuple(tuple(row[p] for p in places) for row in found.rows))
    try:
        with path.open("x", encoding="utf-8", newline="") as file:
            for line in (shown.columns, *shown.rows):
                file.write(",".join(_cell(value) for value in line) + "\n")
    except FileExistsError as error:
        raise DefinitionError("step.read_there", path=path) from error
    except OSError as error:
        raise StorageError("step.read_write", path=path, error=error.strerror or error) from error
    return list(shown.columns)


def _cell(value: object) -> str:
    """A value as CSV has it; null is empty, and an empty text is quoted."""
    return "" if value is None else '"' + str(value).replace('"', '""') + '"'


def counts(project: Reading, dataset: str) -> list[tuple[str, str | None, int]]:
    """How many rows lie in quarantine by check and partition, the most first."""
    from ecluse.engine import Engine

    table = quarantine_name(dataset)
    head = project.warehouse.head(table)
    if head is None:
        return []
    each = (
        f"SELECT unnest(string_split({BROKE}, ', ')) AS broke, {PARTITION} FROM {project.warehouse.scan(table, head)}"
    )
    with Engine() as engine:
        found = engine.rows(
            f"SELECT broke, {PARTITION}, count(*) AS n FROM ({each}) GROUP BY ALL ORDER BY n DESC, broke, {PARTITION}"
        )
    return [(str(check), partition, int(rows)) for check, partition, rows in found]


def hidden(rows: Rows, known: Mapping[str, Classification]) -> Rows:
    """The rows without values of columns that aren't known to be public or internal."""
    free = {name for name, how in known.items() if how in _SHOWN} | {ROW, BROKE, REASON, RUN, PARTITION, ORIGIN}
    # NOTE: a line that couldn't be read may hold any of the columns' values.
    if all(how in _SHOWN for how in known.values()) and known:
        free.add(RAW)
    return Rows(
        rows.columns,
        tuple(
            tuple(
                value if name in free or value is None else HIDDEN
                for name, value in zip(rows.columns, row, strict=True)
            )
            for row in rows.rows
        ),
    )
