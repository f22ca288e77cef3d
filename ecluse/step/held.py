"""What lies in quarantine, each row under a name of its own, and the choice of those that are to leave."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ecluse.engine import Engine, literal, quote
from ecluse.errors import DefinitionError
from ecluse.model.contract import Contract
from ecluse.model.names import BROKE, ORIGIN, PARTITION, RAW, REASON, ROW, RUN, quarantine_name
from ecluse.warehouse import Warehouse

#: The table of an engine with all rows in quarantine, and the column that says in which partition's files a row lies.
HELD, PLACE = "_ecluse_held_rows", "_ecluse_place"
_OURS = (ORIGIN, BROKE, REASON, RAW, RUN, PARTITION)


@dataclass(frozen=True)
class Chosen:
    """Which rows are meant: those of a partition, of a check, or of these names; with ``all``, every row."""

    partition: str | None = None
    check: str | None = None
    rows: tuple[str, ...] = ()
    all: bool = False

    def condition(self, dataset: str) -> str:
        """The SQL condition; ``DefinitionError`` where nothing was chosen."""
        wanted = []
        if self.partition is not None:
            wanted.append(f"{PARTITION} = {literal(self.partition)}")
        if self.check is not None:
            wanted.append(f"list_contains(string_split({BROKE}, ', '), {literal(self.check)})")
        if self.rows:
            wanted.append(f"{ROW} IN ({', '.join(literal(row) for row in self.rows)})")
        if not wanted and not self.all:
            raise DefinitionError("step.quarantine_chosen", dataset=dataset)
        return " AND ".join(wanted) or "true"


def named(columns: Sequence[str], source: str) -> str:
    """A query of quarantined rows with their names: what a row holds names it, so that it is the same name tomorrow.

    Rows that hold the same are numbered. A rerun puts other rows there, under other names.
    """
    listed = ", ".join(quote(name) for name in columns)
    content = f"md5(CAST(row({listed}) AS VARCHAR))"
    number = f"row_number() OVER (PARTITION BY {content} ORDER BY {quote(ORIGIN)})"
    return (
        f"SELECT left({content}, 12) || CASE {number} WHEN 1 THEN '' ELSE '-' || {number} END AS {ROW}, * FROM {source}"
    )


def read_held(engine: Engine, warehouse: Warehouse, dataset: str, contract: Contract) -> int:
    """Make the table ``HELD``; the snapshot of the quarantine.

    ``DefinitionError`` where nothing is in quarantine, or where its columns aren't the contract's any more.
    """
    table = quarantine_name(dataset)
    head = warehouse.head(table) if warehouse.exists(table) else None
    if head is None or not (parts := sorted(warehouse.partitions(table, head), key=str)):
        raise DefinitionError("step.quarantine_empty", dataset=dataset)
    columns = warehouse.columns(table, head)
    promised = [column.name for column in contract.columns]
    if [name for name in columns if name not in _OURS] != promised:
        raise DefinitionError("step.quarantine_columns", dataset=dataset)
    files = warehouse.files(table, head)
    warehouse.confirm(table, files)
    read = " UNION ALL ".join(
        f"SELECT *, {literal(part)}::VARCHAR AS {PLACE} FROM {warehouse.scan(table, head, {part})}" for part in parts
    )
    engine.run(f"CREATE OR REPLACE TEMP TABLE {HELD} AS {named(list(columns), f'({read})')}")
    return head
