"""Resume: go on from the candidate that another run left whole, instead of computing its rows again.

A run that is blocked, cancelled or killed behind its writing leaves a candidate with all rows that it computed, and
beside it what a later run has to know of them. A run that would compute the same takes it up by itself; one that was
blocked is published by ``ecluse candidate publish`` once what is promised allows it. Either way every stage from the
check on is carried out anew: nothing that an earlier run found is believed.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ecluse.errors import Conflict, DefinitionError, IntegrityError, NotComputed, WarehouseError
from ecluse.model.canonical import digest
from ecluse.model.names import ORIGIN
from ecluse.model.step import In, StepDefinition
from ecluse.model.update import RESOLVED
from ecluse.sources import Collection, RawInput
from ecluse.step.compute import code_version, collected, own_code
from ecluse.step.pin import pin_input, show
from ecluse.step.publish import key_of
from ecluse.step.resolved import overwrites
from ecluse.step.services import Services
from ecluse.step.state import State
from ecluse.warehouse import Candidate


def find_candidate(state: State, services: Services) -> State:
    """Take up the candidate of a run that would have published the same and was blocked, cancelled or killed."""
    request, dataset = state.request, state.definition.name
    if request.force or request.dry_run:
        return state
    for found in services.warehouse.recalled(dataset):
        if found.partition != request.partition or found.about["key"] != state.key:
            continue
        try:
            candidate = services.warehouse.take_up(dataset, found.branch, request.run_id)
        except (WarehouseError, IntegrityError):
            # NOTE: held by another run, or not what it was: this run then computes, or waits, as if there were none.
            continue
        try:
            return replace(state, candidate=_standing(state, services, candidate))
        except Conflict:
            services.warehouse.release(candidate)
    return state


def recall(state: State, services: Services) -> State:
    """Take up the candidate that the request names: its inputs as they were pinned, its code and columns as they are.

    ``Conflict`` where somebody is at work on it; ``DefinitionError`` where today's code would compute other rows or
    columns; ``NotComputed`` where an input can't be read any more as it was.
    """
    dataset, branch = state.definition.name, state.request.candidate
    assert branch is not None
    candidate = services.warehouse.take_up(dataset, branch, state.request.run_id)
    _confirm_current(state.definition, branch, candidate.about)
    candidate = _standing(state, services, candidate)
    return _recalled(replace(state, candidate=candidate), services, branch, candidate.about)


def _standing(state: State, services: Services, candidate: Candidate) -> Candidate:
    """The candidate on today's ``main``; ``Conflict`` where its rows would take the place of what was published since.

    Rows that are held against what is published are held against what is published now.
    """
    if state.definition.update in RESOLVED and not overwrites(state):
        return services.warehouse.restart(candidate)
    try:
        return services.warehouse.rebase(candidate)
    except Conflict as error:
        if error.key != "warehouse.partition_moved":
            raise
        raise Conflict("step.candidate_moved", dataset=candidate.dataset, branch=candidate.branch) from error


def _confirm_current(definition: StepDefinition, branch: str, about: Mapping[str, Any]) -> None:
    """``DefinitionError`` where today's code would compute other rows, or columns."""
    if about["code"] != digest(own_code(definition)):
        raise DefinitionError("step.candidate_code", dataset=definition.name, branch=branch)
    promised = [[column.name, column.type] for column in definition.guard.contract.columns]
    if [[name, kind] for name, kind in about["columns"] if name != ORIGIN] != promised:
        raise DefinitionError("step.candidate_columns", dataset=definition.name, branch=branch)


def _recalled(state: State, services: Services, branch: str, about: Mapping[str, Any]) -> State:
    """What a candidate's step wrote down, at hand again."""
    definition = state.definition
    inputs = []
    for position, said in enumerate(about["inputs"]):
        partitions = None if said["partitions"] is None else frozenset(said["partitions"])
        try:
            pinned = pin_input(services, In(said["param"], said["dataset"]), partitions, int(said["snapshot_id"]))
        except WarehouseError as error:
            raise NotComputed("step.candidate_input", dataset=said["dataset"], branch=branch) from error
        if pinned.content != said["content"]:
            raise NotComputed("step.candidate_input", dataset=said["dataset"], branch=branch)
        show(state.engine, pinned, with_origin=position == 0 and definition.grain == "row")
        inputs.append(pinned)
    state = replace(state, inputs=tuple(inputs), sql=about["sql"], reading=about["reading"])
    if definition.kind == "source":
        state = replace(state, collection=_collection(state, services, about))
    said_by = state.sql if definition.kind == "asset" else state.reading
    state = replace(state, code_version=code_version(definition, said_by))
    key = key_of(state, settings=about["settings"], resources=about["resources"], run=about["run"])
    return replace(state, key=key)


def _collection(state: State, services: Services, about: Mapping[str, Any]) -> Collection:
    """What was collected: the raw bytes that are kept; lines that could not be read are read again from the source."""
    raw = services.project.raw
    if not about["rejected"]:
        inputs = tuple(RawInput(**said, kept=raw / said["sha256"]) for said in about["raw"])
        return Collection("", None, (), inputs, Path(tempfile.mkdtemp(prefix="ecluse-")))
    found = collected(state, services)
    if [r.sha256 for r in found.inputs] != [said["sha256"] for said in about["raw"]]:
        found.close()
        raise Conflict("step.candidate_source", dataset=state.definition.name, branch=state.request.candidate)
    return found
