"""Account: every row of the driving input and every computed row is somewhere, counted by itself."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import replace
from decimal import Decimal

from ecluse.engine import literal, quote
from ecluse.model.accounting import ControlTotal, LookUp, RowAccounting
from ecluse.model.names import BROKE, ORIGIN
from ecluse.model.release import DataFile
from ecluse.step.border import computing
from ecluse.step.candidate import batch_sql
from ecluse.step.services import Services
from ecluse.step.state import State
from ecluse.step.unreadable import REJECTED

#: Where origins wait to be counted. Names that begin with an underscore are no input's.
_OUT, _HELD, _SEEN, _KEPT = "_ecluse_out", "_ecluse_held", "_ecluse_seen", "_ecluse_kept"


def account(state: State, services: Services) -> State:
    """Count what became of every row; no count is the difference of two others."""
    rejected = state.collection.rejected if state.collection else 0
    accounting = reconciled(
        state,
        services,
        RowAccounting(
            grain=state.definition.grain,
            computed=state.computed,
            published=int(state.engine.scalar(f"SELECT count(*) FROM {batch_sql(state, services)}")),
            quarantined=_quarantined(state, services),
            rejected=rejected,
        ),
    )
    if state.driving is not None:
        accounting = replace(
            accounting,
            driving_dataset=state.driving.dataset,
            driving=int(state.engine.scalar(f"SELECT count(*) FROM {quote(state.driving.param)}")),
            look_ups=_look_ups(state),
        )
        if state.definition.grain == "row":
            accounting = _rows(state, services, accounting)
        else:
            accounting = replace(accounting, totals=_totals(state, services))
    return replace(state, accounting=accounting)


def reconciled(state: State, services: Services, accounting: RowAccounting) -> RowAccounting:
    """What the update does to the table: the rows of the snapshot before, of this one, and those between, each counted.

    A candidate that was put on another base is counted anew.
    """
    candidate, tally, dataset = state.candidate, state.tally, state.definition.name
    assert candidate is not None
    assert candidate.snapshot_id is not None

    def count(snapshot: int, only: Collection[DataFile] | None = None) -> int:
        return services.warehouse.count(state.engine, dataset, snapshot, only=only)

    if tally is None:
        kept, added = (sum(file.rows for file in files) for files in (candidate.kept, candidate.files))
        removed = count(candidate.base, candidate.removed)
        accounting = replace(accounting, unchanged=kept, replaced=removed, added=added)
    else:
        accounting = replace(
            accounting,
            published=tally.published,
            unchanged=tally.unchanged,
            late=tally.late,
            superseded=tally.superseded,
            replaced=tally.replaced,
            added=tally.added,
        )
    return replace(accounting, previous=count(candidate.base), current=count(candidate.snapshot_id))


def _quarantined(state: State, services: Services) -> int:
    """The computed rows that left; a rejected line never was one, and is counted beside them."""
    if state.quarantine is None:
        return 0
    held = services.warehouse.scan_files(state.quarantine)
    return int(state.engine.scalar(f"SELECT count(*) FROM {held} WHERE {BROKE} <> {literal(REJECTED)}"))


def _rows(state: State, services: Services, accounting: RowAccounting) -> RowAccounting:
    """Law two for a row-preserving step, by origins."""
    if ORIGIN not in state.columns:
        return replace(accounting, message="no_origin")
    assert state.driving is not None
    driving, origin = quote(state.driving.param), quote(ORIGIN)
    run = state.engine
    run.run(f"CREATE OR REPLACE TEMP TABLE {_OUT} AS SELECT {origin} AS o FROM {batch_sql(state, services)}")
    held = "SELECT NULL::VARCHAR AS o WHERE false"
    if state.quarantine is not None:
        held = f"SELECT {origin} AS o FROM {services.warehouse.scan_files(state.quarantine)}"
    run.run(f"CREATE OR REPLACE TEMP TABLE {_HELD} AS {held}")
    run.run(f"CREATE OR REPLACE TEMP VIEW {_SEEN} AS SELECT o FROM {_OUT} UNION ALL SELECT o FROM {_HELD}")
    # NOTE: the counts of rows are never null on a side that has the origin, so they tell the sides apart.
    repeated, out, quarantined, fanned_out, invented, missing = run.row(f"""
        SELECT
            count(*) FILTER (d.n > 1 OR (d.n IS NOT NULL AND d.o IS NULL)),
            count(*) FILTER (d.n IS NOT NULL AND s.out > 0),
            count(*) FILTER (d.n IS NOT NULL AND s.held > 0),
            coalesce(sum(s.out + s.held - 1), 0),
            coalesce(sum(s.out + s.held) FILTER (d.n IS NULL), 0),
            count(*) FILTER (s.out IS NULL)
        FROM (SELECT {origin} AS o, count(*) AS n FROM {driving} GROUP BY ALL) d
        FULL JOIN (
            SELECT o, count(*) FILTER (NOT quarantined) AS out, count(*) FILTER (quarantined) AS held
            FROM (SELECT o, false AS quarantined FROM {_OUT} UNION ALL SELECT o, true FROM {_HELD}) GROUP BY o
        ) s ON d.o = s.o""")
    if repeated:
        return replace(accounting, message="origin_twice")
    filtered, deduplicated, unexplained = _missing(state, int(missing))
    return replace(
        accounting,
        out=int(out),
        driving_quarantined=int(quarantined),
        fanned_out=int(fanned_out),
        invented=int(invented),
        filtered=filtered,
        deduplicated=deduplicated,
        unexplained=unexplained,
    )


def _missing(state: State, rows: int) -> tuple[dict[str, int], int, int]:
    """Driving rows that did not arrive: by the first filter that names them, else as duplicates, else unexplained.

    Where there are none (``rows``), the declared filters are only bound, so that a wrong one is found at once.
    """
    assert state.driving is not None
    definition, run = state.definition, state.engine
    driving, origin = quote(state.driving.param), quote(ORIGIN)
    whens = []
    for position, (name, predicate) in enumerate(definition.filters.items()):
        with computing("step.declared", dataset=definition.name, what=f"the filter {name}"):
            run.describe(f"SELECT ({predicate}) AS p FROM {driving}")
        whens.append(f"WHEN coalesce(({predicate}), false) THEN {position}")
    if definition.deduplicate_by:
        names = [quote(c) for c in definition.deduplicate_by]
        with computing("step.declared", dataset=definition.name, what="deduplicate_by"):
            run.run(
                f"CREATE OR REPLACE TEMP TABLE {_KEPT} AS SELECT DISTINCT {', '.join(f'd.{c}' for c in names)} "
                f"FROM {driving} d SEMI JOIN {_SEEN} s ON d.{origin} = s.o"
            )
        same = " AND ".join(f"kept.{c} IS NOT DISTINCT FROM {driving}.{c}" for c in names)
        whens.append(f"WHEN EXISTS (SELECT 1 FROM {_KEPT} AS kept WHERE {same}) THEN -1")
    if not rows:
        return dict.fromkeys(definition.filters, 0), 0, 0
    case = f"CASE {' '.join(whens)} ELSE -2 END" if whens else "-2"
    with computing("step.declared", dataset=definition.name, what="the filters"):
        counts = dict(
            run.rows(
                f"SELECT why, count(*) FROM (SELECT {case} AS why FROM {driving} "
                f"ANTI JOIN {_SEEN} ON {driving}.{origin} = {_SEEN}.o) GROUP BY why"
            )
        )
    filtered = {name: int(counts.get(i, 0)) for i, name in enumerate(definition.filters)}
    return filtered, int(counts.get(-1, 0)), int(counts.get(-2, 0))


def _totals(state: State, services: Services) -> tuple[ControlTotal, ...]:
    """Law two for a step that groups: sums and counts that are equal on both sides.

    The computed side is what is published together with what is quarantined.
    """
    assert state.driving is not None
    columns = ", ".join(quote(n) for n in state.columns)
    computed = f"(SELECT {columns} FROM {batch_sql(state, services)}"
    if state.quarantine is not None:
        computed += f" UNION ALL SELECT {columns} FROM {services.warehouse.scan_files(state.quarantine)}"
    found = []
    for name, (over_driving, over_computed) in state.definition.totals.items():
        with computing("step.declared", dataset=state.definition.name, what=f"the control total {name}"):
            before = state.engine.scalar(f"SELECT {over_driving} FROM {quote(state.driving.param)}")
            after = state.engine.scalar(f"SELECT {over_computed} FROM {computed})")
        found.append(ControlTotal(name, _text(before), _text(after)))
    return tuple(found)


def _text(value: object) -> str | None:
    """A total as text: the same number has the same text, whatever its type is."""
    if isinstance(value, (float, Decimal)) and math.isfinite(value) and value == int(value):
        return str(int(value))
    return None if value is None else str(value)


def _look_ups(state: State) -> tuple[LookUp, ...]:
    """How many driving rows met each of the other inputs, by the conditions that the asset declares."""
    assert state.driving is not None
    found = []
    by_param = {p.param: p for p in state.inputs}
    for param, condition in state.definition.look_ups.items():
        meets = f"EXISTS (SELECT 1 FROM {quote(param)} WHERE {condition})"
        with computing("step.declared", dataset=state.definition.name, what=f"the look-up {param}"):
            matched, unmatched = state.engine.row(
                f"SELECT count(*) FILTER ({meets}), count(*) FILTER (NOT {meets}) FROM {quote(state.driving.param)}"
            )
        found.append(LookUp(by_param[param].dataset, int(matched), int(unmatched)))
    return tuple(found)
