"""A plan whose measures are merged from those of each data file: a file that was measured before isn't read again."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from typing import Any

from ecluse.engine.sql import quote
from ecluse.model.tablefiles import FileRows, TableFiles
from ecluse.quality import gx, merging
from ecluse.quality.across import Across, Keys
from ecluse.quality.batch import Batch
from ecluse.quality.measures import values_of
from ecluse.quality.order import Order
from ecluse.quality.plan import ECLUSE, ROW_LEVEL, Measure, Plan
from ecluse.quality.positions import BY_ORDER, FAR
from ecluse.quality.predicates import Question
from ecluse.quality.sorting import Sorted
from ecluse.quality.states import NoState, States, kept, told, versions
from ecluse.quality.values import TIMES

#: Who measured, where every number was merged from the states of files.
MERGED = f"{ECLUSE} (merged)"

_BY_TABLE = ("table.columns", "table.column_count")
_DISTINCT = ("column.distinct_values.count", "column.unique_proportion")


class MergedPlan:
    """The measures that a suite needs of one batch, told file by file; used as ``Plan`` is.

    What has no state, or whose states can't be merged, is measured over the whole batch by an ordinary plan.
    """

    def __init__(self, batch: Batch, files: TableFiles) -> None:
        batch.known_rows = files.rows
        self.batch = batch
        self.whole = Plan(batch)
        self._files = files
        columns = ", ".join(f"NULL::{kind} AS {quote(name)}" for name, kind in batch.types.items())
        # What a metric asks is settled by the columns' types: a table without rows tells it for nothing.
        empty = f"(SELECT {columns} WHERE false)"
        shape = Batch(batch.engine, empty, hidden=batch.hidden, types=batch.types, rows=0)
        self._shape = Plan(shape)
        types = hashlib.sha256(repr(list(batch.types.items())).encode()).hexdigest()
        self._kept = States(files.folder, f"{versions()} {types}")
        self._opened: dict[str, Batch] = {}
        self._wanted: dict[str, Callable[[Plan], Measure]] = {}
        self._states: dict[str, dict[str, Any]] = {}
        self._grouped: dict[Keys, tuple[int, int, bool]] = {}
        self._sorted = Sorted(files, self._kept, lambda part, domain: values_of(Plan(self._open([part])), domain))
        self._far: dict[str, int] = {}
        self._merged: set[Any] = set()
        self._recomputed: set[Any] = set()

    def measure(self, metric: gx.Metric) -> Measure:
        """The measure of one of GX's metrics; ``Unknown`` where only GX can compute it."""
        if not ROW_LEVEL.match(metric.metric_name):
            # What is asked of rows is built below, and checked by that.
            self._shape.measure(metric)
        if metric.metric_name in _BY_TABLE:
            return self.whole.measure(metric)
        try:
            merged = self._planned(metric)
        except NoState:
            self._recomputed.add(metric.id)
            self.batch.note("again", metric.metric_name)
            return self.whole.measure(metric)

        def value() -> Any:
            try:
                found = merged()
            except Exception:  # noqa: BLE001 # whatever hindered the merge: the whole tells, or says why it can't
                self._recomputed.add(metric.id)
                measure = self.whole.measure(metric)
                self.whole.run()
                return measure()
            if metric.id not in self._recomputed:
                self._merged.add(metric.id)
            return found

        return value

    def question(self, name: str, domain: dict[str, Any], values: dict[str, Any]) -> Question:
        """The row-level question of a metric, asked of the whole batch."""
        return self.whole.question(name, domain, values)

    def executed_by(self, metrics: Iterable[Any]) -> str:
        """Who measured these metrics, after they were measured."""
        asked = set(metrics)
        return MERGED if asked & self._merged and not asked & self._recomputed else ECLUSE

    def run(self) -> None:
        """Scan the files whose states aren't known, and the whole once for what has none."""
        for part in {part.digest: part for part in self._files.files}.values():
            known = self._kept.read(part.digest)
            missing = [key for key in self._wanted if key not in known]
            if missing:
                known |= self._measured(part, missing)
                self._kept.write(part.digest, known)
            self._states[part.digest] = known
        self._kept.keep_only(self._states)
        self.whole.run()

    def known(self) -> tuple[int, int]:
        """How many data files there are, and of how many all that is planned is known."""
        files = self._files.files
        return len(files), sum(map(self._known, files))

    def _known(self, part: FileRows) -> bool:
        return set(self._wanted) <= set(self._kept.read(part.digest)) and self._sorted.known(part)

    def _measured(self, part: FileRows, wanted: Sequence[str]) -> dict[str, Any]:
        """The states of one file, but for those that can't be computed or kept."""
        plan, planned, found = Plan(self._open([part])), {}, {}
        for key in wanted:
            try:
                planned[key] = self._wanted[key](plan)
            except Exception:  # noqa: BLE001, S112 # the whole is asked instead, and says why it can't be computed
                continue
        plan.run()
        for key, measure in planned.items():
            try:
                found[key] = kept(measure())
            except Exception:  # noqa: BLE001, S112 # the same
                continue
        return found

    def _open(self, parts: Sequence[FileRows]) -> Batch:
        """Some files as one batch; ``NoState`` where their columns aren't those of the whole."""
        relation = parts[0].relation
        if len(parts) > 1:
            relation = f"({' UNION ALL '.join(f'SELECT * FROM {part.relation}' for part in parts)})"
        if relation not in self._opened:
            rows = sum(part.rows for part in parts)
            self._opened[relation] = Batch(self.batch.engine, relation, hidden=self.batch.hidden, rows=rows)
        batch = self._opened[relation]
        if list(batch.types.items()) != list(self.batch.types.items()):
            raise NoState("other columns")
        return batch

    def _planned(self, metric: gx.Metric) -> Measure:
        """The merged measure of a metric; ``NoState`` where it has none."""
        name = metric.metric_name
        domain, values = dict(metric.metric_domain_kwargs), dict(metric.metric_value_kwargs)
        if found := ROW_LEVEL.match(name):
            return self._row_level(metric, found[1], found[2], domain, values)
        if name == "table.row_count":
            return self._sum(self._want("rows", domain, {}, lambda plan: plan.measure(metric)))
        if name in _DISTINCT:
            return self._distinct(metric, domain)
        if name in BY_ORDER:
            order = self._order(name, domain)
            return lambda: BY_ORDER[name](order(), values)
        merge = merging.MERGES.get(name)
        if merge is None:
            raise NoState(name)
        given = {k: v for k, v in values.items() if k not in merge.apart_from}
        states = self._want(merge.name, domain, given, lambda plan: merge.state(values_of(plan, domain), given))
        column = values_of(self._shape, domain)
        return lambda: merge.merged(states(), column, values)

    def _row_level(
        self, metric: gx.Metric, name: str, what: str, domain: dict[str, Any], values: dict[str, Any]
    ) -> Measure:
        asked = self._shape.question(name, domain, values)
        given = {k: v for k, v in values.items() if k != "result_format"}
        if what == "filtered_row_count":
            return self._sum(self._want(what, domain, {"of": name}, lambda plan: plan.measure(metric)))
        if asked.keys:
            groups = self._groups(metric, Keys(asked.keys, asked.asked))

            def count() -> int:
                return groups()[1]
        elif name in merging.BY_ROW:
            states = self._want(name, domain, given, lambda plan: plan.broken(name, domain, values))
            count = self._sum(states)
        elif name in FAR:
            return self._distant(metric, name, what, domain, values)
        else:
            raise NoState(name)
        return count if what == "unexpected_count" else self.whole.shown(name, what, domain, values, count)

    def _distant(
        self, metric: gx.Metric, name: str, what: str, domain: dict[str, Any], values: dict[str, Any]
    ) -> Measure:
        """The values that lie far from the others: how many, from their order, and which, from the whole."""
        order, merge = self._order(name, domain), merging.MERGES["column.standard_deviation"]
        states = self._want(merge.name, domain, {}, lambda plan: merge.state(values_of(plan, domain), {}))
        key = self._key(name, domain, {k: v for k, v in values.items() if k != "result_format"})

        def count() -> int:
            if key not in self._far:
                self._far[key] = FAR[name](order(), values, lambda: merging.moments(states()))
            return self._far[key]

        if what == "unexpected_count":
            return count
        shown = self.whole.shown(name, what, domain, values, count)

        def value() -> Any:
            if count():
                # To show them, mean and deviation are measured over all rows.
                self._recomputed.add(metric.id)
            return shown()

        return value

    def _order(self, asked: str, domain: dict[str, Any]) -> Callable[[], Order]:
        """The order of a column's values over all files; ``NoState`` where it can't or mustn't be kept."""
        order = self._sorted.ask(self._key("order", domain, {}), self.batch.types[domain["column"]], domain)
        self.batch.note("files", asked)
        return order

    def _sum(self, states: Callable[[], list[Any]]) -> Callable[[], int]:
        return lambda: sum(states())

    def _want(
        self, name: str, domain: dict[str, Any], values: dict[str, Any], plan: Callable[[Plan], Measure]
    ) -> Callable[[], list[Any]]:
        """Plan a state of each file; gives all of them once they are measured."""
        key = self._key(name, domain, values)
        self._wanted.setdefault(key, plan)
        self.batch.note("files", name)
        return lambda: [self._states[part.digest][key] for part in self._files.files]

    def _key(self, name: str, domain: dict[str, Any], values: dict[str, Any]) -> str:
        """What a state is kept as: its name, and a digest of what is asked."""
        asked = told([name, domain, values])
        if any(kind in TIMES for kind in map(self._shape.batch.kind, _columns(domain))) or "row_condition" in domain:
            # NOTE: a time of day given as text means today's.
            asked += f" on {date.today()}" if "str(" in told([values, domain.get("row_condition")]) else ""  # noqa: DTZ011 # GX reads it so
        return f"{name} {hashlib.sha256(asked.encode()).hexdigest()}"

    def _groups(self, metric: gx.Metric, keys: Keys) -> Callable[[], tuple[int, int]]:
        """How many different keys there are, and how many rows share theirs."""
        states = self._want(keys.name, {}, {}, keys.state)

        def value() -> tuple[int, int]:
            if keys not in self._grouped:
                self._grouped[keys] = self._across(keys, states())
            distinct, shared, grouped = self._grouped[keys]
            if grouped:
                self._recomputed.add(metric.id)
            return distinct, shared

        return value

    def _across(self, keys: Keys, states: list[Any]) -> tuple[int, int, bool]:
        files = self._files.files
        across = Across(keys, files, self._kept, self._open)
        by_file = {part.digest: state for part, state in zip(files, states, strict=True)}
        known = across.unique(by_file, lambda batch: Plan(batch).groups(keys.columns, keys.asked)())
        if known is not None:
            return known, 0, False
        distinct, shared = self.whole.groups(keys.columns, keys.asked)()
        if not shared:
            across.remember()
            across.prepare(self.batch)
        return distinct, shared, True

    def _distinct(self, metric: gx.Metric, domain: dict[str, Any]) -> Measure:
        """How many different values a column has, or their share; from their frequencies where they are few."""
        column = values_of(self._shape, domain)
        few = self._want("frequencies", domain, {}, lambda plan: merging.frequencies(values_of(plan, domain), {}))
        groups = self._groups(metric, Keys((column.batch.value(column.name),), column.present))
        count = self._want("count", domain, {}, lambda plan: values_of(plan, domain).over("count(*)"))

        def value() -> Any:
            known = merging.counted(few())
            distinct = groups()[0] if known is None else len(known)
            if metric.metric_name == _DISTINCT[0]:
                return distinct
            return distinct / sum(count()) if sum(count()) else 0

        return value


def _columns(domain: dict[str, Any]) -> list[str]:
    named = [domain.get(key) for key in ("column", "column_A", "column_B")]
    return [column for column in [*named, *(domain.get("column_list") or ())] if column is not None]
