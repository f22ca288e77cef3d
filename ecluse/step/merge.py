"""Merge: an upsert by the contract's key, where the newest row of a key wins, wherever and whenever it arrived.

Which of two rows of a key wins depends on these rows alone: the one that is newer by the columns of ``newest_by``;
among equally new ones the one whose other values are greater, column by column in the contract's order. So the
published rows are the same for the same rows given, in whatever order and however often.
"""

from __future__ import annotations

from ecluse.step.resolved import (
    AT,
    FILE,
    RANK,
    THEIRS,
    Resolved,
    Tally,
    batch_of,
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
from ecluse.warehouse import Change

_RANKED, _MET, _DECIDED = "_ecluse_ranked", "_ecluse_met", "_ecluse_decided"


def merge(state: State, services: Services) -> Resolved:
    """The winners that aren't published yet, instead of the published rows that they win over."""
    definition, run, partition = state.definition, state.engine, state.request.partition
    key = definition.identity
    promised = [column.name for column in definition.guard.contract.columns]
    told = [*definition.newest_by, *(n for n in promised if n not in (*key, *definition.newest_by))]
    best, names = greatest_first(told), listed(list(state.columns))
    run.run(
        f"CREATE OR REPLACE TEMP TABLE {_RANKED} AS SELECT *, rowid AS {AT}, row_number() OVER "
        f"(PARTITION BY {listed(key)} ORDER BY {best}{first_origin(state)}, rowid) AS {RANK} FROM {batch_of(state)}"
    )
    won = f"(SELECT * FROM {_RANKED} WHERE {RANK} = 1)"
    paths = near(state, services, _MET, f"SEMI JOIN {won} AS b ON {same(key, 'p', 'b')}")
    # NOTE: a published row that says the same as a new one stays, so that its file needn't be touched.
    order = f"PARTITION BY {listed(key)} ORDER BY {best}, {THEIRS} DESC"
    run.run(
        f"CREATE OR REPLACE TEMP TABLE {_DECIDED} AS SELECT *, row_number() OVER ({order}) AS {RANK}, "
        f"first_value({THEIRS}) OVER ({order}) AS _ecluse_stays FROM ("
        f"SELECT {names}, NULL::VARCHAR AS {FILE}, {AT}, false AS {THEIRS} FROM {won} "
        f"UNION ALL SELECT {names}, {FILE}, NULL, true FROM {_MET})"
    )
    new, beaten = f"NOT {THEIRS} AND {RANK} = 1", f"{THEIRS} AND NOT _ecluse_stays"
    lost, there = f"(SELECT * FROM {_DECIDED} WHERE NOT {THEIRS} AND {RANK} > 1) AS d", same(promised, "d", "m")
    added, replaced = counts(state, _DECIDED, new, beaten)
    (unchanged,) = counts(state, f"{lost} SEMI JOIN {_MET} AS m ON {there}", "true")
    (late,) = counts(state, f"{lost} ANTI JOIN {_MET} AS m ON {there}", "true")
    (superseded,) = counts(state, _RANKED, f"{RANK} > 1")
    touched, stays = rewritten(state, services, f"SELECT * FROM {_DECIDED} WHERE {beaten}", key, paths)
    change = Change(
        added={partition: f"SELECT {names} FROM {_DECIDED} WHERE {new} ORDER BY {AT}"} if added else {},
        carried={partition: stays} if stays else {},
        removed=touched,
        looks_at=parts_of(state),
    )
    return Resolved(change, Tally(added + unchanged, unchanged, late, superseded, replaced, added))
