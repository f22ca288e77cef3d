"""History: every version of a row, each from its time until the next one's (slowly changing dimension, type 2).

What is known of a key is a sequence of events: at a time, the row was observed with some values, or it was gone. The
published versions say which events are known already, and the computed rows are further ones. Versions follow from the
sequence alone: an event that repeats the one before it opens none. So a late row takes its place in time, and the same
row given again changes nothing.
"""

from __future__ import annotations

from ecluse.engine import literal, quote
from ecluse.errors import BrokenData
from ecluse.model.names import ORIGIN
from ecluse.model.update import IS_CURRENT, VALID_FROM, VALID_TO
from ecluse.step.resolved import (
    AT,
    FILE,
    RANK,
    THEIRS,
    Resolved,
    Tally,
    batch_of,
    candidate_of,
    counts,
    first_origin,
    greatest_first,
    listed,
    near,
    parts_of,
    rewritten,
    same,
)
from ecluse.step.services import Services
from ecluse.step.state import State
from ecluse.warehouse import HANDED_ON, Change

_RANKED, _MET, _EVENTS, _TIMELINE, _VERSIONS = (
    f"_ecluse_{name}" for name in ("ranked", "met", "events", "timeline", "versions")
)
_TIME, _GONE, _REPEATS = "_ecluse_time", "_ecluse_gone", "_ecluse_repeats"
_OWN = (VALID_FROM, VALID_TO, IS_CURRENT)


def history(state: State, services: Services) -> Resolved:
    """The versions that are opened, closed or dated anew, instead of what is published of them."""
    definition, run, partition = state.definition, state.engine, state.request.partition
    key, names = definition.identity, listed(list(state.columns))
    columns = [c.name for c in definition.guard.contract.columns if c.name not in (*key, *_OWN)]
    tracked = list(definition.tracked) or columns
    values = [*tracked, *(n for n in columns if n not in tracked)]
    best = greatest_first(values)
    run.run(
        f"CREATE OR REPLACE TEMP TABLE {_RANKED} AS SELECT *, rowid AS {AT}, row_number() OVER "
        f"(PARTITION BY {listed([*key, VALID_FROM])} ORDER BY {best}{first_origin(state)}, rowid) AS {RANK} "
        f"FROM {batch_of(state)}"
    )
    until = _snapshot_time(state, services) if definition.closes_missing else None
    joins = [f"SEMI JOIN {_RANKED} AS b ON {same(key, 'p', 'b')}"]
    if until is not None:
        # NOTE: against all computed rows: one that was quarantined is still there.
        joins.append(f"ANTI JOIN {state.computed_batch} AS b ON {same(key, 'p', 'b')} WHERE p.{IS_CURRENT}")
    paths = near(state, services, _MET, *joins)
    _write_events(state, [*values, *([ORIGIN] if ORIGIN in state.columns else [])], until)
    _write_timeline(state, tracked, best)
    differs = f"NOT {THEIRS} OR _ecluse_moved"
    opened, added = counts(state, _VERSIONS, f"NOT {THEIRS}", differs)
    stays = f"(SELECT * FROM {_VERSIONS} WHERE NOT ({differs}))"
    version = [*key, VALID_FROM]
    beaten = f"SELECT * FROM {_MET} AS m ANTI JOIN {stays} AS v ON {same(version, 'm', 'v')}"
    (replaced,) = counts(state, f"({beaten})", "true")
    (superseded,) = counts(state, _RANKED, f"{RANK} > 1")
    unchanged, late = _without_version(state, tracked)
    touched, rest = rewritten(state, services, beaten, version, paths)
    new = f"SELECT {names} FROM {_VERSIONS} WHERE {differs} ORDER BY {listed(version)}"
    change = Change(
        added={partition: new} if added else {},
        carried={partition: rest} if rest else {},
        removed=touched,
        looks_at=parts_of(state),
        marks={_mark(state): until} if until is not None else {},
    )
    return Resolved(change, Tally(opened + unchanged, unchanged, late, superseded, replaced, added))


def _write_events(state: State, values: list[str], until: str | None) -> None:
    """What is known of the keys in hand: observations and ends, published and new."""
    key = state.definition.identity
    keys, all_values = listed(key), listed(values)
    nothing = ", ".join(f"NULL AS {quote(name)}" for name in values)
    # NOTE: a version that ends before the next one begins, or without one, ended because the row was gone.
    following = f"lead({VALID_FROM}) OVER (PARTITION BY {keys} ORDER BY {VALID_FROM}) AS _ecluse_next"
    ended = f"{VALID_TO} IS NOT NULL AND {VALID_TO} IS DISTINCT FROM _ecluse_next"
    published = f"{VALID_FROM} AS {_TIME}, false AS {_GONE}, true AS {THEIRS}, NULL::BIGINT AS {AT}"
    dated = f"(SELECT *, {following} FROM {_MET})"
    parts = [
        f"SELECT {keys}, {published}, {VALID_TO} AS _ecluse_to, {all_values} FROM {_MET}",
        f"SELECT {keys}, {VALID_TO}, true, true, NULL, NULL, {nothing} FROM {dated} WHERE {ended}",
        f"SELECT {keys}, {VALID_FROM}, false, false, {AT}, NULL, {all_values} FROM {_RANKED} WHERE {RANK} = 1",
    ]
    if until is not None:
        kind = state.columns[VALID_FROM]
        parts.append(
            f"SELECT {keys}, CAST({literal(until)} AS {kind}), true, false, NULL, NULL, {nothing} FROM {_MET} AS m "
            f"ANTI JOIN {state.computed_batch} AS b ON {same(key, 'm', 'b')} WHERE m.{IS_CURRENT}"
        )
    state.engine.run(f"CREATE OR REPLACE TEMP TABLE {_EVENTS} AS {' UNION ALL '.join(parts)}")


def _write_timeline(state: State, tracked: list[str], best: str) -> None:
    """One event for each time of a key, marked where it repeats the one before, and the versions that follow."""
    key = listed(state.definition.identity)
    equal = greatest_first(tracked)
    in_time = f"PARTITION BY {key} ORDER BY {_TIME} NULLS FIRST"
    before = " AND ".join(
        f"{quote(n)} IS NOT DISTINCT FROM lag({quote(n)}) OVER ({in_time})" for n in (_GONE, *tracked)
    )
    state.engine.run(
        f"CREATE OR REPLACE TEMP TABLE {_TIMELINE} AS SELECT *, CASE "
        f"WHEN lag({_GONE}) OVER ({in_time}) IS NULL THEN {_GONE} "
        # NOTE: a published version that repeats another published one was told apart when fewer columns were tracked.
        f"WHEN {THEIRS} AND lag({THEIRS}) OVER ({in_time}) THEN false ELSE {before} END AS {_REPEATS} "
        f"FROM (SELECT *, row_number() OVER (PARTITION BY {key}, {_TIME} "
        f"ORDER BY {_GONE}, {equal}, {THEIRS} DESC, {best}) AS {RANK} FROM {_EVENTS}) WHERE {RANK} = 1"
    )
    state.engine.run(
        f"CREATE OR REPLACE TEMP TABLE {_VERSIONS} AS SELECT *, {VALID_TO} IS NULL AS {IS_CURRENT}, "
        f"{VALID_TO} IS DISTINCT FROM _ecluse_to AS _ecluse_moved FROM ("
        f"SELECT * RENAME ({_TIME} AS {VALID_FROM}), lead({_TIME}) OVER ({in_time}) AS {VALID_TO} "
        f"FROM {_TIMELINE} WHERE NOT {_REPEATS}) WHERE NOT {_GONE}"
    )


def _without_version(state: State, tracked: list[str]) -> tuple[int, int]:
    """The new observations that opened no version: those that changed nothing, and those that lost at their time."""
    key = state.definition.identity
    there = f"{same(key, 'b', 't')} AND b.{VALID_FROM} IS NOT DISTINCT FROM t.{_TIME} AND NOT t.{_GONE}"
    source = f"(SELECT * FROM {_RANKED} WHERE {RANK} = 1) AS b JOIN {_TIMELINE} AS t ON {there}"
    as_it_was = same(tracked, "b", "t")
    repeats = f"NOT t.{THEIRS} AND t.{_REPEATS}"
    unchanged, late = counts(
        state, source, f"{repeats} OR (t.{THEIRS} AND {as_it_was})", f"t.{THEIRS} AND NOT ({as_it_was})"
    )
    return unchanged, late


def _mark(state: State) -> str:
    return f"{HANDED_ON}history-until.{state.request.partition or 'all'}"


def _snapshot_time(state: State, services: Services) -> str | None:
    """As of when the computed rows are all that there are: the newest time among them; ``None`` where nothing ever was.

    ``BrokenData`` where they tell no time, or one before what is published: which keys are missing can't be known then.
    """
    dataset, candidate = state.definition.name, candidate_of(state)
    published, _ = services.warehouse.scan_located(candidate, FILE, parts=parts_of(state))
    times = f"SELECT {VALID_FROM} AS t FROM {published} UNION ALL SELECT {VALID_TO} FROM {published}"
    if told := services.warehouse.marks(dataset, candidate.base).get(_mark(state)):
        times += f" UNION ALL SELECT CAST({literal(told)} AS {state.columns[VALID_FROM]})"
    rows, new, seen, late = state.engine.row(
        f"SELECT rows, CAST(new AS VARCHAR), CAST(seen AS VARCHAR), coalesce(new < seen, false) FROM "
        f"(SELECT count(*) AS rows, max({VALID_FROM}) AS new FROM {_RANKED}), (SELECT max(t) AS seen FROM ({times}))"
    )
    if not rows and seen is not None:
        raise BrokenData("step.empty_snapshot", dataset=dataset)
    if late:
        raise BrokenData("step.late_snapshot", dataset=dataset)
    return None if new is None else str(new)
