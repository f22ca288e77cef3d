"""Looks for personal data in the columns that nobody classified as personal, in a sample of bounded cost.

The sample is made of runs of rows that lie evenly over the data: DuckDB finds those without reading what is between
them. A column that is nearly empty there is read until enough values are found. What a sample doesn't hold isn't found:
it proves presence, and never absence.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Self

from ecluse.engine import Engine, EngineError, literal, quote, said
from ecluse.model.contract import Classification, Column
from ecluse.model.personal import Finding, PersonalData
from ecluse.quality.personal import DETECTORS, Detector, Kind

#: Rows that are looked at: so many runs of so many rows.
RUNS, RUN = 5, 2_000
#: Fewer values than this in the sample say too little about a column.
FEW = 200

_INTEGERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT")


def detect(engine: Engine, relation: str, columns: Sequence[Column]) -> PersonalData:
    """What is found in the columns of ``relation`` (anything that can follow ``FROM``) that may be seen too widely.

    A column that is classified personal or sensitive isn't looked at, nor one whose contract gives a reason.
    """
    try:
        types = engine.describe(f"SELECT * FROM {relation}")
        # NOTE: a column without a detector that asks for it costs nothing.
        asked = [c for c in columns if not settled(c) and c.name in types and detectors(c.name, types[c.name])]
        if not asked:
            return PersonalData(engine.scalar(f"SELECT count(*) FROM {relation}"))
        with _Sample(engine, relation, [c.name for c in asked]) as sample:
            every = {c.name: detectors(c.name, types[c.name]) for c in asked}
            held = sample.holding([(name, d.needs) for name, found in every.items() for d in found])
            some = {n: [d for d in found if not d.needs or (n, d.needs) in held] for n, found in every.items()}
            findings = [finding for c in asked for finding in _found(sample, c, some[c.name])]
            return PersonalData(sample.rows, tuple(every), tuple(findings))
    except EngineError as error:
        return PersonalData(message=said(error))


def settled(column: Column) -> bool:
    """Whether the contract says of a column that it is personal, or why it is not."""
    return column.classification in (Classification.PERSONAL, Classification.SENSITIVE) or bool(column.reason)


def detectors(column: str, type_: str) -> tuple[Detector, ...]:
    """The detectors that look at a column of that name and DuckDB type."""
    kind = _kind(type_)
    return () if kind is None else tuple(d for d in DETECTORS if d.asks(column, kind))


def _kind(type_: str) -> Kind | None:
    if type_.startswith(("DATE", "TIMESTAMP")):
        return "time"
    if type_ in _INTEGERS:
        return "integer"
    # NOTE: texts in lists, structs and maps are looked at as one text each, in which an address of e-mail is found.
    return "text" if type_ in ("VARCHAR", "JSON") or any(inner in type_ for inner in ("VARCHAR", "JSON")) else None


class _Sample:
    """Some rows of a relation in a table of their own, while the context lasts."""

    def __init__(self, engine: Engine, relation: str, columns: Sequence[str]) -> None:
        self.engine, self.relation = engine, relation
        self.name = quote(f"ecluse_sample_{uuid.uuid4().hex}")
        self.rows = 0
        self._columns = columns

    def __enter__(self) -> Self:
        listed = ", ".join(f"CAST({quote(c)} AS VARCHAR) AS {quote(c)}" for c in self._columns)
        rows = self.engine.scalar(f"SELECT count(*) FROM {self.relation}")
        self.rows = min(rows, RUNS * RUN)
        query = f"SELECT {listed} FROM {self.relation}"
        if self.rows < rows:
            starts = [run * (rows - RUN) // (RUNS - 1) for run in range(RUNS)]
            query = " UNION ALL ".join(f"({query} LIMIT {RUN} OFFSET {start})" for start in starts)
        self.engine.run(f"CREATE TEMP TABLE {self.name} AS {query}")
        if self.rows < rows:
            self._fill()
        return self

    def __exit__(self, *_: object) -> None:
        self.engine.run(f"DROP TABLE {self.name}")

    def _fill(self) -> None:
        """Add the first values there are of columns of which the sample holds few."""
        counted = ", ".join(f"count({quote(c)})" for c in self._columns)
        there = dict(zip(self._columns, self.engine.row(f"SELECT {counted} FROM {self.name}"), strict=True))
        for name in [quote(c) for c, found in there.items() if found < FEW]:
            values = f"SELECT CAST({name} AS VARCHAR) FROM {self.relation} WHERE {name} IS NOT NULL LIMIT {RUN}"
            self.engine.run(f"INSERT INTO {self.name} ({name}) {values}")

    def holding(self, wanted: Sequence[tuple[str, str]]) -> set[tuple[str, str]]:
        """Which of these columns hold a value in which that pattern is found."""
        asked = [pair for pair in dict.fromkeys(wanted) if pair[1]]
        if not asked:
            return set()
        tests = ", ".join(f"bool_or(regexp_matches({quote(c)}, {literal(needs)}))" for c, needs in asked)
        return {
            pair for pair, held in zip(asked, self.engine.row(f"SELECT {tests} FROM {self.name}"), strict=True) if held
        }

    def count(self, column: str, conditions: Sequence[str]) -> tuple[int, ...]:
        """How many different values of a column there are, and how many of them meet each condition on ``v``."""
        counted = "".join(f", count(*) FILTER (WHERE {condition})" for condition in conditions)
        values = f"SELECT DISTINCT {quote(column)} AS v FROM {self.name} WHERE {quote(column)} <> ''"
        return self.engine.row(f"SELECT count(*){counted} FROM ({values})")


def _found(sample: _Sample, column: Column, asked: Sequence[Detector]) -> list[Finding]:
    """The first detector that is sure, and a hint where none is."""
    if not asked:
        return []
    tested, *looks = sample.count(column.name, [d.looks("v") for d in asked])
    likely = [(d, n) for d, n in zip(asked, looks, strict=True) if d.found(n, tested)]
    # NOTE: what looks right seldom is: the statement with the checksums is worth its planning only then.
    proofs = [d.matches("v") for d, _ in likely if d.proven]
    proven = iter(sample.count(column.name, proofs)[1:] if proofs else ())
    sure = [(d, next(proven) if d.proven else n) for d, n in likely]
    return [
        Finding(column.name, d.name, tested, n, column.classification.value, hint=d.only_named)
        for d, n in sorted(sure, key=lambda found: found[0].only_named)
        if d.found(n, tested)
    ][:1]
