"""One or more grants compiled to one projection: each column as a grant shows it, or left out, and a row filter.

Where a reader holds several grants, each *cell* shows the most revealing of what a single grant shows of it. A grant
with a row filter adds nothing to rows that its filter leaves out, and a row appears where at least one grant lets it
through. So several grants together never show a cell that none of them shows alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from ecluse.access.filters import confirm_filter
from ecluse.access.hidden import Hidden
from ecluse.access.pseudonyms import pseudonym_parameters, pseudonym_sql
from ecluse.engine import generalised_sql, quote
from ecluse.model.charter import Grant
from ecluse.model.contract import Classification, Column

#: From least to most revealing; what a grant doesn't list is dropped.
_REVEALING = ("drop", "null", "pseudonym", "generalised", "clear")


@dataclass(frozen=True)
class Granted:
    """What a reader may see.

    ``columns`` maps each column that is shown to ``clear``, ``generalised``, ``pseudonym`` or ``null``. Of a column
    that is shown differently from row to row, it says the most revealing way. ``filters`` are the row filters that are
    asked, and ``filtered`` tells whether rows are left out. ``keys`` are the parameters of ``select_sql``.
    """

    columns: dict[str, str]
    filtered: bool
    filters: tuple[str, ...]
    keys: Hidden[dict[str, bytes]]
    _expressions: tuple[str, ...] = field(repr=False)
    _rows: str = field(repr=False)

    def select_sql(self, relation: str) -> str:
        """The ``SELECT`` over ``relation`` (SQL that can stand after ``FROM``) that holds what was granted."""
        # NOTE: the line break keeps a comment at a filter's end from swallowing the bracket.
        tests = [f"(({sql}\n)) IS TRUE AS {quote(_flag(i))}" for i, sql in enumerate(self.filters)]
        source = f"SELECT {', '.join(['*', *tests])} FROM {relation} AS whole"
        return f"SELECT {', '.join(self._expressions)} FROM ({source}) AS flagged WHERE {self._rows}"


def compile_grant(
    grants: Sequence[Grant], columns: Sequence[Column], *, purpose: str, key: Callable[[], bytes]
) -> Granted | None:
    """What these grants show of a dataset's columns; ``None`` where that is no column at all.

    ``key`` gives the project's key of pseudonyms, and is asked for only where a column becomes one. Columns that
    aren't among ``columns`` never appear, whatever the relation holds. ``DefinitionError`` where a row filter is more
    than one condition about a row.
    """
    named = [c for c in columns if not c.name.startswith("_")]
    counting = [g for g in grants if any(_way(g, c) != "drop" for c in named)]
    if not counting:
        return None
    filters = list(dict.fromkeys(g.row_filter for g in counting if g.row_filter is not None))
    cells = [_Cell.of(column, counting, filters) for column in named]
    shown = [cell for cell in cells if cell.most != "drop"]
    for condition in filters:
        confirm_filter(condition)
    masked = any("pseudonym" in cell.ways for cell in shown)
    everything = any(g.row_filter is None for g in counting)
    return Granted(
        columns={cell.column.name: cell.most for cell in shown},
        filtered=not everything,
        filters=tuple(filters),
        keys=Hidden(pseudonym_parameters(key(), purpose) if masked else {}),
        _expressions=tuple(f"{cell.sql()} AS {quote(cell.column.name)}" for cell in shown),
        _rows="true" if everything else _any(range(len(filters))),
    )


@dataclass(frozen=True)
class _Cell:
    """How one column is shown: to all rows, and better where the filter of that number holds."""

    column: Column
    everywhere: str
    where: dict[str, tuple[int, ...]]

    @classmethod
    def of(cls, column: Column, grants: Sequence[Grant], filters: Sequence[str]) -> _Cell:
        open_ways = [_way(g, column) for g in grants if g.row_filter is None]
        everywhere = max(open_ways, key=_REVEALING.index, default="drop")
        where = {
            way: tuple(sorted({filters.index(g.row_filter) for g in grants if g.row_filter and _way(g, column) == way}))
            for way in reversed(_REVEALING[_REVEALING.index(everywhere) + 1 :])
        }
        return cls(column, everywhere, {way: found for way, found in where.items() if found})

    @property
    def ways(self) -> tuple[str, ...]:
        """Every way in which a row may show the column, the most revealing first."""
        return (*self.where, self.everywhere)

    @property
    def most(self) -> str:
        return self.ways[0]

    def sql(self) -> str:
        # NOTE: where values and pseudonyms meet in one column, both are text.
        as_text = "pseudonym" in self.ways and bool({"clear", "generalised"} & set(self.ways))
        generalised = generalised_sql(self.column) if "generalised" in self.ways else ""
        written = {
            "clear": f"CAST({quote(self.column.name)} AS VARCHAR)" if as_text else quote(self.column.name),
            "generalised": f"CAST({generalised} AS VARCHAR)" if as_text else generalised,
            "pseudonym": pseudonym_sql(self.column.name) if "pseudonym" in self.ways else "",
            "null": f"CAST(NULL AS {'VARCHAR' if 'pseudonym' in self.ways else self.column.type})",
        }
        written["drop"] = written["null"]
        if not self.where:
            return written[self.everywhere]
        cases = "".join(f" WHEN {_any(found)} THEN {written[way]}" for way, found in self.where.items())
        return f"CASE{cases} ELSE {written[self.everywhere]} END"


def _way(grant: Grant, column: Column) -> str:
    # NOTE: a grant can't name what nobody classified, so that is dropped too.
    way = {Classification(name): way for name, way in grant.columns.items()}.get(column.classification, "drop")
    # NOTE: a column that nobody said how to generalise shows that it is there, and nothing of it.
    return "null" if way == "generalised" and column.generalise is None else way


def _any(filters: Sequence[int]) -> str:
    return "(" + " OR ".join(quote(_flag(i)) for i in filters) + ")"


def _flag(number: int) -> str:
    return f"_granted_{number}"
