"""What an update mode made of the computed rows and of what is published, and the SQL that the modes share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ecluse.engine import quote
from ecluse.model.names import ORIGIN
from ecluse.step.services import Services
from ecluse.step.state import State
from ecluse.warehouse import Candidate, Change

#: Names beside the columns of a dataset, which never begin with an underscore.
FILE, AT, RANK, THEIRS = "_ecluse_file", "_ecluse_at", "_ecluse_rank", "_ecluse_published"


@dataclass(frozen=True)
class Tally:
    """What became of the computed rows, and of the table's: each counted by itself.

    Of the computed rows, ``published`` are in the table afterwards, ``unchanged`` of them were before; ``late`` ones
    lost against what is published, ``superseded`` ones against another computed row. Of the table, ``replaced`` rows
    went and ``added`` rows came.
    """

    published: int
    unchanged: int
    late: int
    superseded: int
    replaced: int
    added: int


@dataclass(frozen=True)
class Resolved:
    """The change to the published files, and its counts."""

    change: Change
    tally: Tally


def parts_of(state: State) -> frozenset[str | None] | None:
    """What a step without dynamic partitions looks at: its own partition, or the whole table."""
    return None if state.request.partition is None else frozenset({state.request.partition})


def overwrites(state: State) -> bool:
    """Whether rows that another run computed would take the place of what was published after them.

    Which row of a merge or a history wins depends on the rows alone; a partition is what its newest run says.
    """
    return state.request.candidate is not None and state.definition.update == "partition"


def candidate_of(state: State) -> Candidate:
    """The candidate that is being made."""
    assert state.candidate is not None
    return state.candidate


def batch_of(state: State) -> str:
    """The table with the computed rows that are to be published."""
    assert state.batch is not None
    return state.batch


def listed(names: Sequence[str]) -> str:
    """Names as SQL."""
    return ", ".join(quote(name) for name in names)


def same(names: Sequence[str], one: str, other: str) -> str:
    """The condition that two rows have the same values in these columns; null is a value here."""
    return " AND ".join(f"{one}.{quote(n)} IS NOT DISTINCT FROM {other}.{quote(n)}" for n in names)


def greatest_first(names: Sequence[str]) -> str:
    """An order by the values of these columns, the greatest first; null is less than any value."""
    return ", ".join(f"{quote(name)} DESC NULLS LAST" for name in names)


def first_origin(state: State) -> str:
    """Ends an order: rows that say the same are told apart by where they came from."""
    return f", {quote(ORIGIN)} ASC NULLS LAST" if ORIGIN in state.columns else ""


def files_of(state: State, rows: str, paths: dict[str, str]) -> frozenset[str]:
    """The paths of the data files that a query over located rows names in its column ``FILE``."""
    return frozenset(paths[str(name)] for (name,) in state.engine.rows(f"SELECT DISTINCT {FILE} FROM ({rows})"))


def near(state: State, services: Services, table: str, *joins: str) -> dict[str, str]:
    """Make a table of the published rows ``p`` that any of these joins leaves; the path of each value of ``FILE``.

    The joins name few columns, so that these alone are read everywhere; only the files in which a row is left are then
    read whole. No row is left by two joins.
    """
    candidate, parts = candidate_of(state), parts_of(state)
    everything, paths = services.warehouse.scan_located(candidate, FILE, parts=parts)
    left = " UNION ALL ".join(f"SELECT p.{FILE} FROM {everything} AS p {join}" for join in joins)
    touched = files_of(state, left, paths)
    some, paths = services.warehouse.scan_located(candidate, FILE, parts=parts, only=touched)
    found = " UNION ALL ".join(f"SELECT p.* FROM {some} AS p {join}" for join in joins)
    state.engine.run(f"CREATE OR REPLACE TEMP TABLE {table} AS {found}")
    return paths


def rewritten(
    state: State, services: Services, replaced: str, key: Sequence[str], paths: dict[str, str]
) -> tuple[frozenset[str], str | None]:
    """The files in which replaced rows lie, and a query of their other rows, which stay; ``None`` where there are none.

    ``replaced`` is a query of located rows, of which ``key`` names each.
    """
    touched = files_of(state, replaced, paths)
    if not touched:
        return touched, None
    some, _ = services.warehouse.scan_located(candidate_of(state), FILE, parts=parts_of(state), only=touched)
    columns = ", ".join(f"p.{quote(name)}" for name in state.columns)
    return touched, f"SELECT {columns} FROM {some} AS p ANTI JOIN ({replaced}) AS gone ON {same(key, 'p', 'gone')}"


def counts(state: State, table: str, *conditions: str) -> tuple[int, ...]:
    """How many rows of a table meet each of these conditions."""
    asked = ", ".join(f"count(*) FILTER ({condition})" for condition in conditions)
    return tuple(int(count) for count in state.engine.row(f"SELECT {asked} FROM {table}"))
