"""Pin: decide which version of each input this step reads, and make it readable under its parameter's name."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ecluse.engine import Engine, quote
from ecluse.errors import NotComputed
from ecluse.model.names import ORIGIN
from ecluse.model.step import In
from ecluse.step.compactions import written_content
from ecluse.step.services import Services
from ecluse.step.state import Pinned, State


def pin(state: State, services: Services) -> State:
    """Pin every input to its published snapshot; ``NotComputed`` where an input has nothing published."""
    inputs = tuple(
        pin_input(services, wanted, state.request.input_partitions.get(wanted.param)) for wanted in state.definition.ins
    )
    for position, pinned in enumerate(inputs):
        show(state.engine, pinned, with_origin=position == 0 and state.definition.grain == "row")
    return replace(state, inputs=inputs)


def pin_input(services: Services, wanted: In, partitions: frozenset[str] | None, snapshot: int | None = None) -> Pinned:
    """One input at its published snapshot, narrowed to some partitions where the step reads only those.

    With ``snapshot``, as it was then; ``WarehouseError`` where that is forgotten.
    """
    warehouse = services.warehouse
    if snapshot is None and warehouse.exists(wanted.dataset):
        snapshot = warehouse.head(wanted.dataset)
    if snapshot is None:
        raise NotComputed("step.input_unpublished", dataset=wanted.dataset)
    files = warehouse.files(wanted.dataset, snapshot)
    if partitions is not None:
        present = {f.partition for f in files}
        if missing := sorted(partitions - present):
            raise NotComputed("step.input_partition", dataset=wanted.dataset, missing=", ".join(missing))
        files = tuple(f for f in files if f.partition in partitions)
    sql = warehouse.scan(wanted.dataset, snapshot, partitions)
    # NOTE: an altered byte may still be a readable file, and the record of this step names what was published.
    warehouse.confirm(wanted.dataset, files)
    return Pinned(
        param=wanted.param,
        dataset=wanted.dataset,
        snapshot_id=snapshot,
        content=written_content(services, wanted.dataset, files),
        files=files,
        sql=sql,
        columns=warehouse.columns(wanted.dataset, snapshot),
        partitions=partitions,
    )


def inputs_json(state: State) -> list[dict[str, Any]]:
    """The pinned inputs as JSON; ``partitions`` is null where the whole dataset was read."""
    return [
        {
            "dataset": p.dataset,
            "snapshot_id": str(p.snapshot_id),
            "content": p.content,
            "partitions": None if p.partitions is None else sorted(p.partitions),
        }
        for p in state.inputs
    ]


def show(engine: Engine, pinned: Pinned, *, with_origin: bool) -> None:
    """Make an input readable as a view named like its parameter.

    Only the driving input of a row-preserving step shows origins, so that a star over several inputs has one. An
    input that was made by grouping has none of its own: its rows are then numbered within the pinned snapshot.
    """
    columns = "*"
    if with_origin and ORIGIN not in pinned.columns:
        columns = f"*, '{pinned.dataset}@{pinned.snapshot_id}:' || row_number() OVER () AS {quote(ORIGIN)}"
    elif not with_origin and ORIGIN in pinned.columns:
        columns = f"* EXCLUDE ({quote(ORIGIN)})"
    engine.run(f"CREATE OR REPLACE TEMP VIEW {quote(pinned.param)} AS SELECT {columns} FROM {pinned.sql}")
