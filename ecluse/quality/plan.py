"""Plans all metrics of a suite at once: one aggregate statement for every count and moment, details only on failure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol

from ecluse.engine.sql import quote
from ecluse.quality import gx, measures
from ecluse.quality.batch import POSITION, Batch, CannotCompute, Unknown, every
from ecluse.quality.predicates import Question, question
from ecluse.quality.shortcuts import COUNT, frequencies, large, may_rise, never, rising

#: GX returns at most this many failing values, whatever is asked of it.
MOST_VALUES = 200

#: A metric about single rows, and what is asked of it.
ROW_LEVEL = re.compile(
    r"^(.+)\.(unexpected_count|unexpected_values|unexpected_index_list|unexpected_index_query|unexpected_rows|filtered_row_count)$"
)
Measure = Callable[[], Any]
#: Who measured: SQL of ours.
ECLUSE = "ecluse"


class Plan:
    """The measures that a suite needs of one batch. ``measure`` plans, ``run`` scans, and each measure then answers."""

    def __init__(self, batch: Batch) -> None:
        self.batch = batch
        self._aggregates: dict[str, int] = {}
        self._values: dict[str, Any] = {}
        self._errors: dict[str, str] = {}
        self._statements: dict[str, Any] = {}
        self._questions: dict[Any, tuple[Question, list[tuple[str, str]]]] = {}
        self._by_value: dict[str, str | None] = {}

    def measure(self, metric: gx.Metric) -> Measure:
        """The measure of one of GX's metrics; ``Unknown`` where only GX can compute it."""
        name = metric.metric_name
        domain, values = dict(metric.metric_domain_kwargs), dict(metric.metric_value_kwargs)
        if found := ROW_LEVEL.match(name):
            return self._row_level(found[1], found[2], domain, values)
        return measures.aggregate(self, name, domain, values)

    def question(self, name: str, domain: dict[str, Any], values: dict[str, Any]) -> Question:
        """The row-level question of a metric, built once: some ask Python about each distinct value."""
        values = {k: v for k, v in values.items() if k != "result_format"}
        key = (name, repr(sorted(domain.items(), key=str)), repr(sorted(values.items(), key=str)))
        if key not in self._questions:
            before = set(self.batch.notes)
            found = question(self.batch, name, domain, values)
            self._questions[key] = found, [note for note in self.batch.notes if note not in before]
        found, notes = self._questions[key]
        for note in notes:
            self.batch.note(*note)
        return found

    def aggregate(self, expression: str) -> Measure:
        """An aggregate that the one fused statement computes."""
        self._aggregates.setdefault(expression, len(self._aggregates))
        self.batch.note("scan", expression)

        def value() -> Any:
            if expression in self._errors:
                raise CannotCompute(self._errors[expression])
            return self._values[expression]

        return value

    def count(self, *conditions: str | None) -> Measure:
        """How many rows meet all conditions."""
        met = every(*conditions)
        if met == "true":
            return self.aggregate("count(*)")
        # NOTE: count_if() costs less than count(*) with a filter, and is null of no rows.
        count = self.aggregate(f"count_if({met})")
        return lambda: count() or 0

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows of a statement of its own, run once."""
        if sql not in self._statements:
            self._statements[sql] = self.batch.engine.rows(sql)
        found: list[tuple[Any, ...]] = self._statements[sql]
        return found

    def run(self) -> None:
        """Scan the batch once for all aggregates that were planned."""
        wanted = [e for e in self._aggregates if e not in self._values]
        if not wanted:
            return
        try:
            self._scan(wanted)
        except Exception:  # noqa: BLE001 # whatever DuckDB raises belongs to one aggregate: find out which
            for expression in wanted:
                try:
                    self._scan([expression])
                except Exception as error:  # noqa: BLE001 # the message becomes the outcome "could not be computed"
                    self._errors[expression] = str(error)

    def _scan(self, expressions: Sequence[str]) -> None:
        row = self.batch.engine.row(f"SELECT {', '.join(expressions)} FROM {self.batch.relation}")
        self._values.update(zip(expressions, row, strict=True))

    def executed_by(self, _metrics: Iterable[Any]) -> str:
        """Who measured these metrics."""
        return ECLUSE

    def _row_level(self, name: str, what: str, domain: dict[str, Any], values: dict[str, Any]) -> Measure:
        asked = self.question(name, domain, values)
        if what == "filtered_row_count":
            return self.count(asked.asked)
        count = self.broken(name, domain, values)
        return count if what == "unexpected_count" else self.shown(name, what, domain, values, count)

    def broken(self, name: str, domain: dict[str, Any], values: dict[str, Any]) -> Measure:
        """How many rows break the promise behind a row-level metric."""
        asked = self.question(name, domain, values)
        return self._broken_count(asked, by_value="column" in domain and domain.get("row_condition") is None)

    def shown(self, name: str, what: str, domain: dict[str, Any], values: dict[str, Any], count: Measure) -> Measure:
        """What a result shows of the rows that break a promise; looked for only where ``count`` finds any."""
        for column in (values.get("result_format") or {}).get("unexpected_index_column_names") or ():
            self.batch.kind(column)

        def details() -> _Details:
            return _Details(self, self.question(name, domain, values), dict(values.get("result_format") or {}), domain)

        return {
            "unexpected_values": lambda: details().values() if count() else [],
            "unexpected_index_list": lambda: details().positions() if count() else [],
            "unexpected_index_query": lambda: details().query() if count() else "df.filter(items=[], axis=0)",
            "unexpected_rows": lambda: details().frame(),
        }[what]

    def _broken_count(self, asked: Question, *, by_value: bool) -> Measure:
        if asked.follows:
            self.batch.note("order", asked.follows)
            sql = f"SELECT count(*) FROM ({asked.steps(self.batch.relation)})"
            return lambda: int(self.rows(sql)[0][0])
        if asked.keys:
            groups = self.groups(asked.keys, asked.asked)
            return lambda: groups()[1]
        broken = asked.broken(self.batch.relation)
        if broken == "false" or never(self.batch, broken):
            shown = " OR ".join(f"{quote(c)} IS NULL" for c in asked.columns) if broken == "false" else broken
            self.batch.note("footers" if large(self.batch) else "schema", shown)
            return lambda: 0
        if by_value and (found := self.frequencies(asked.columns[0])):
            self.batch.note("values", quote(asked.columns[0]))
            sql = f"SELECT coalesce(sum({COUNT}), 0) FROM {found} WHERE {broken}"
            return lambda: int(self.rows(sql)[0][0])
        return self.count(broken)

    def frequencies(self, column: str) -> str | None:
        """A relation of the few different values of a column of many rows, and how often each occurs (``COUNT``)."""
        if not large(self.batch):
            return None
        if column not in self._by_value:
            self._by_value[column] = frequencies(self.batch, column)
        return self._by_value[column]

    def groups(self, keys: tuple[str, ...], asked: str) -> Callable[[], tuple[int, int]]:
        """How many different keys the rows that are asked have, and how many rows share theirs with another row.

        Grouping is a pass of its own, shared by all that ask: inside the fused statement it would cost many times as
        much. It is left out where the keys, or one of them, rise from row to row.
        """
        relation = self.batch.relation
        kind = "rising" if may_rise(self.batch, keys, asked) else "grouping"
        self.batch.note(kind, ", ".join(keys) + ("" if asked == "true" else f" WHERE {asked}"))
        listed = ", ".join(f"{k} AS k{i}" for i, k in enumerate(keys))
        names = ", ".join(f"k{i}" for i in range(len(keys)))
        grouped = f"SELECT count(*) AS n FROM (SELECT {listed} FROM {relation} WHERE {asked}) GROUP BY {names}"
        sql = f"SELECT count(*), coalesce(sum(n) FILTER (WHERE n > 1), 0) FROM ({grouped})"

        def value() -> tuple[int, int]:
            if sql not in self._statements and rising(self.batch, keys, asked):
                self._statements[sql] = [(*self.rows(f"SELECT count(*) FROM {relation} WHERE {asked}")[0], 0)]
            distinct, shared = self.rows(sql)[0]
            return int(distinct), int(shared)

        return value


class _Details:
    """The failing rows of one question, as the result format wants them shown."""

    def __init__(self, plan: Plan, asked: Question, result_format: dict[str, Any], domain: dict[str, Any]) -> None:
        self.plan, self.asked, self.domain = plan, asked, domain
        self.complete = result_format.get("result_format") == "COMPLETE"
        self.limit = int(result_format.get("partial_unexpected_count", 20))
        self.index_columns: list[str] = list(result_format.get("unexpected_index_column_names") or ())
        #: Whole results show it unless it is refused, others where it is asked for.
        self.query_wanted = result_format.get("return_unexpected_index_query", self.complete or None)

    def _rows(self, columns: Sequence[str], limit: int | None) -> list[tuple[Any, ...]]:
        if limit == 0:
            return []
        read = list(columns)
        if limit is not None and not self.complete:
            # One statement for all that a sample shows.
            read = [POSITION, *dict.fromkeys([*self.asked.columns, *self.index_columns])]
        rows = self.plan.rows(self._sql(read) + ("" if limit is None else f" LIMIT {limit}"))
        places = [read.index(c) for c in columns]
        # A missing float is a NaN of its own, as in GX's results: it sorts beside other floats, and None doesn't.
        floats = [c != POSITION and self.plan.batch.kind(c) == "float" for c in columns]
        return [
            tuple(float("nan") if row[i] is None and f else row[i] for i, f in zip(places, floats, strict=True))
            for row in rows
        ]

    def _sql(self, columns: Iterable[str]) -> str:
        batch = self.plan.batch
        listed = ", ".join(quote(c) for c in columns)
        broken = self.asked.broken(batch.relation)
        rows = f"SELECT {listed} FROM {batch.numbered} WHERE {broken}"
        # A filter keeps the order of rows and stops once it has enough of them; a join gives them as it finds them.
        return f"{rows} ORDER BY {quote(POSITION)}" if self.asked.keys or self.asked.follows else rows

    def values(self) -> list[Any]:
        """Failing values: single ones, pairs, or one object per row."""
        rows = self._rows(self.asked.columns, MOST_VALUES if self.complete else min(self.limit, MOST_VALUES))
        if "column" in self.domain:
            return [row[0] for row in rows]
        if "column_list" in self.domain:
            return [dict(zip(self.asked.columns, row, strict=True)) for row in rows]
        return list(rows)

    def positions(self) -> list[Any]:
        """Where the failing rows are: their positions, or the columns that name them."""
        limit = None if self.complete else self.limit
        if self.index_columns:
            columns = [*self.asked.columns, *(c for c in self.index_columns if c not in self.asked.columns)]
            return [dict(zip(columns, row, strict=True)) for row in self._rows(columns, limit)]
        return self.labels(limit)

    def labels(self, limit: int | None) -> list[Any]:
        """The positions of failing rows, as the index of the given frame calls them."""
        found = [row[0] for row in self._rows([POSITION], limit)]
        frame = self.plan.batch.frame
        return found if frame is None else list(frame.index[found].to_list())

    def query(self) -> str | None:
        """The expression by which a user of pandas finds the failing rows."""
        return f"df.filter(items={self.labels(None)}, axis=0)" if self.query_wanted else None

    def frame(self) -> Any:
        """The failing rows themselves."""
        batch = self.plan.batch
        if batch.frame is not None:
            return batch.frame.iloc[[row[0] for row in self._rows([POSITION], self.limit)]]
        found = batch.to_pandas(self._sql(batch.types), limit=self.limit)
        found.index = self.labels(self.limit)
        return found


class Planner(Protocol):
    """What an evaluation asks of a plan."""

    batch: Batch

    def measure(self, metric: gx.Metric) -> Measure:
        """The measure of one of GX's metrics; ``Unknown`` where only GX can compute it."""

    def question(self, name: str, domain: dict[str, Any], values: dict[str, Any]) -> Question:
        """The row-level question of a metric."""

    def run(self) -> None:
        """Scan for what was planned."""

    def executed_by(self, metrics: Iterable[Any]) -> str:
        """Who measured these metrics."""


def planned(plan: Planner, metric: gx.Metric) -> Measure | None:
    """The measure of ``metric``, or ``None`` where GX must compute it."""
    try:
        return plan.measure(metric)
    except Unknown as reason:
        plan.batch.note("gx", f"{metric.metric_name}: {reason}")
        return None
