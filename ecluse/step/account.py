"""Account: every row of the driving input and every computed row is somewhere, counted by itself."""

from __future__ import annotations

from dataclasses import replace

from ecluse.engine import quote
from ecluse.model.accounting import ControlTotal, LookUp, RowAccounting
from ecluse.model.names import ORIGIN
from ecluse.step.candidate import batch_sql
from ecluse.step.services import Services
from ecluse.step.state import State


def account(state: State, services: Services) -> State:
    """Count what became of every row; no count is the difference of two others."""
    published = int(state.engine.scalar(f"SELECT count(*) FROM {batch_sql(state, services)}"))
    rejected = state.collection.rejected if state.collection else 0
    quarantined = _quarantined(state, services)
    accounting = RowAccounting(
        grain=state.definition.grain,
        computed=state.computed,
        published=published,
        # NOTE: a rejected line never was a computed row; it is counted beside them.
        quarantined=quarantined - (rejected if state.quarantine else 0),
        rejected=rejected,
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


def _quarantined(state: State, services: Services) -> int:
    if state.quarantine is None:
        return 0
    return int(state.engine.scalar(f"SELECT count(*) FROM {services.warehouse.scan_files(state.quarantine)}"))


def _rows(state: State, services: Services, accounting: RowAccounting) -> RowAccounting:
    """Law two for a row-preserving step, by origins."""
    if ORIGIN not in state.columns:
        return replace(accounting, message="no_origin")
    assert state.driving is not None
    driving, origin = quote(state.driving.param), quote(ORIGIN)
    run = state.engine
    run.run(f"CREATE OR REPLACE TEMP TABLE _out AS SELECT {origin} AS o FROM {batch_sql(state, services)}")
    held = "SELECT NULL::VARCHAR AS o WHERE false"
    if state.quarantine is not None:
        held = f"SELECT {origin} AS o FROM {services.warehouse.scan_files(state.quarantine)}"
    run.run(f"CREATE OR REPLACE TEMP TABLE _held AS {held}")
    run.run("CREATE OR REPLACE TEMP VIEW _seen AS SELECT o FROM _out UNION ALL SELECT o FROM _held")
    out = run.scalar(f"SELECT count(*) FROM {driving} d SEMI JOIN _out ON d.{origin} = _out.o")
    quarantined = run.scalar(f"SELECT count(*) FROM {driving} d SEMI JOIN _held ON d.{origin} = _held.o")
    fanned_out = run.scalar("SELECT coalesce(sum(n), 0) FROM (SELECT count(*) - 1 AS n FROM _seen GROUP BY o HAVING count(*) > 1)")
    invented = run.scalar(f"SELECT count(*) FROM _seen s ANTI JOIN {driving} d ON d.{origin} = s.o")
    filtered, deduplicated, unexplained = _missing(state)
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


def _missing(state: State) -> tuple[dict[str, int], int, int]:
    """Driving rows that did not arrive: by the first filter that names them, else as duplicates, else unexplained."""
    assert state.driving is not None
    definition = state.definition
    driving, origin = quote(state.driving.param), quote(ORIGIN)
    whens = [f"WHEN coalesce(({p}), false) THEN {i}" for i, p in enumerate(definition.filters.values())]
    if definition.deduplicate_by:
        same = " AND ".join(
            f"kept.{quote(c)} IS NOT DISTINCT FROM {driving}.{quote(c)}" for c in definition.deduplicate_by
        )
        kept = f"SELECT 1 FROM _kept AS kept WHERE {same}"
        state.engine.run(
            f"CREATE OR REPLACE TEMP TABLE _kept AS SELECT DISTINCT {', '.join(f'd.{quote(c)}' for c in definition.deduplicate_by)} "
            f"FROM {driving} d SEMI JOIN _seen ON d.{origin} = _seen.o"
        )
        whens.append(f"WHEN EXISTS ({kept}) THEN -1")
    case = f"CASE {' '.join(whens)} ELSE -2 END" if whens else "-2"
    counts = dict(
        state.engine.rows(
            f"SELECT why, count(*) FROM (SELECT {case} AS why FROM {driving} "
            f"ANTI JOIN _seen ON {driving}.{origin} = _seen.o) GROUP BY why"
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
        before = state.engine.scalar(f"SELECT ({over_driving})::VARCHAR FROM {quote(state.driving.param)}")
        after = state.engine.scalar(f"SELECT ({over_computed})::VARCHAR FROM {computed})")
        found.append(ControlTotal(name, before, after))
    return tuple(found)


def _look_ups(state: State) -> tuple[LookUp, ...]:
    """How many driving rows met each of the other inputs, by the conditions that the asset declares."""
    assert state.driving is not None
    found = []
    by_param = {p.param: p for p in state.inputs}
    for param, condition in state.definition.look_ups.items():
        meets = f"EXISTS (SELECT 1 FROM {quote(param)} WHERE {condition})"
        matched, unmatched = state.engine.row(
            f"SELECT count(*) FILTER ({meets}), count(*) FILTER (NOT {meets}) FROM {quote(state.driving.param)}"
        )
        found.append(LookUp(by_param[param].dataset, int(matched), int(unmatched)))
    return tuple(found)
