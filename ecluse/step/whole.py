"""Whole: a candidate that is blocked, or whose run was stopped, holds all rows that its step computed.

A later run goes on from it.
"""

from __future__ import annotations

from dataclasses import replace

from ecluse.engine import literal
from ecluse.model.names import BROKE
from ecluse.model.update import RESOLVED
from ecluse.step.candidate import resolve
from ecluse.step.described import described
from ecluse.step.resolved import listed
from ecluse.step.services import Services
from ecluse.step.state import State
from ecluse.step.unreadable import REJECTED
from ecluse.warehouse import Candidate


def put_back(state: State, services: Services) -> State:
    """Let a blocked candidate hold all computed rows, also those that left; its quarantine is discarded."""
    candidate, quarantine = state.candidate, state.quarantine
    if candidate is not None:
        keep = _kept_beside if state.definition.update in RESOLVED else _rejoined
        state = replace(state, candidate=keep(state, services, candidate))
    if quarantine is not None:
        services.warehouse.discard(quarantine)
    return replace(state, quarantine=None)


def keep_rows(state: State, services: Services) -> None:
    """Keep the rows of a run that is stopped, where they wait in its engine alone, for the next run to go on with."""
    if state.candidate is not None and state.computed_batch is not None:
        _kept_beside(state, services, state.candidate)


def _rejoined(state: State, services: Services, candidate: Candidate) -> Candidate:
    """The rows that left are written together with those that remained."""
    if not state.split or state.quarantine is None:
        return candidate
    own, warehouse = listed(list(state.columns)), services.warehouse
    held = f"SELECT {own} FROM {warehouse.scan_files(state.quarantine)} WHERE {BROKE} <> {literal(REJECTED)}"
    sql = f"SELECT {own} FROM {warehouse.scan_files(candidate)} UNION ALL {held}"
    return warehouse.write(state.engine, replace(candidate, about=described(state)), sql, state.definition.update)


def _kept_beside(state: State, services: Services, candidate: Candidate) -> Candidate:
    """Where the candidate holds what follows from the rows, it is what follows from all, and they are kept beside it.

    A run that publishes pays nothing for that: the rows wait in its engine until it is blocked.
    """
    if state.split:
        whole = replace(state, batch=state.computed_batch)
        candidate = resolve(whole, services).candidate or candidate
    if candidate.computed is not None:
        return candidate
    rows = f"SELECT {listed(list(state.columns))} FROM {state.computed_batch}"
    return services.warehouse.keep_computed(state.engine, replace(candidate, about=described(state)), rows)
