"""Compute: from pinned inputs to one query over the columns that the contract promises."""

from __future__ import annotations

import inspect
import typing
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ecluse import texts
from ecluse.engine import Engine, EngineError, quote
from ecluse.errors import BrokenData, DefinitionError, EcluseError
from ecluse.lineage.columns import columns_of
from ecluse.model.canonical import digest
from ecluse.model.lineage import ColumnLineage, Edge
from ecluse.model.names import ORIGIN
from ecluse.model.step import DatabaseQuery, Files, StepDefinition, Table
from ecluse.model.update import IS_CURRENT, VALID_FROM, VALID_TO
from ecluse.sources import Collection, ReleasedFiles, collect
from ecluse.step.border import computing
from ecluse.step.data import data_view
from ecluse.step.origin import with_origin
from ecluse.step.services import Services
from ecluse.step.state import Pinned, State
from ecluse.step.types import cast_to_contract
from ecluse.warehouse import Candidate

#: What an input of an SQL asset is annotated with, and what the usual short names of libraries stand for.
_SQL = ("ecluse", "Table")
_LIBRARIES = {"pa": "pyarrow", "pd": "pandas", "pl": "polars"}
_UNTRACEABLE = ColumnLineage(errors=(texts.say("step.untraceable", lang="en"),))


def prepare(state: State, services: Services) -> State:
    """Ask the user's function for its source or SQL, as far as that costs no rows, and name the code's version."""
    definition = state.definition
    found: Any
    if definition.kind == "source":
        found = _source(state)
        collection = collect(state.engine, found, definition.guard.contract, services.project.raw)
        reading = _reading(found)
        return replace(state, collection=collection, reading=reading, code_version=code_version(definition, reading))
    if _wants_data(definition):
        # NOTE: a function over data computes when it is called, so it is called only after the key is known.
        return replace(state, code_version=code_version(definition, None))
    found = _call(definition, {p.param: _table(p) for p in state.inputs} | _own_arguments(state))
    sql = found if isinstance(found, str) else None
    return replace(state, given=found, sql=sql, code_version=code_version(definition, sql))


def collected(state: State, services: Services) -> Collection:
    """What a source's function names, collected."""
    return collect(state.engine, _source(state), state.definition.guard.contract, services.project.raw)


def compute(state: State, services: Services) -> State:
    """Turn what the function gave into one query with the contract's columns and, where rows keep it, their origin.

    Nothing is computed where a candidate was taken up that holds the rows.
    """
    definition = state.definition
    if state.candidate is not None:
        return _taken_up(state, services, state.candidate)
    if state.collection is not None:
        source = state.collection.sql
        state = replace(state, sql=None, lineage=_source_lineage(state))
    else:
        given = state.given
        if _wants_data(definition):
            given = _call(definition, _data_arguments(state) | _own_arguments(state))
        if isinstance(given, str):
            source = _sql(state, given)
            state = replace(state, sql=given, lineage=_lineage(state, source))
        else:
            with computing("step.sql", dataset=definition.name):
                source = f"SELECT * FROM {data_view(state.engine, given, definition.name)}"
            state = replace(state, lineage=_UNTRACEABLE)
    columns = _described(state.engine, source, definition.name)
    if definition.update == "history":
        source, columns = _as_version(state, source, columns)
        state = replace(state, lineage=_dated(state.lineage) if state.lineage else None)
    keeps_origin = ORIGIN in columns and (definition.kind == "source" or definition.grain == "row")
    projection, types = cast_to_contract(columns, definition.guard.contract, definition.name)
    if keeps_origin:
        projection, types = f"{projection}, {quote(ORIGIN)}", {**types, ORIGIN: "VARCHAR"}
    return replace(state, computed_sql=f"SELECT {projection} FROM ({source})", columns=types)


def _taken_up(state: State, services: Services, candidate: Candidate) -> State:
    """What is known of rows that another run computed: their columns, and where these come from."""
    assert candidate.snapshot_id is not None
    there = services.warehouse.columns(candidate.dataset, candidate.snapshot_id)
    columns = {c.name: c.type for c in state.definition.guard.contract.columns}
    if ORIGIN in there:
        columns[ORIGIN] = "VARCHAR"
    lineage = _UNTRACEABLE
    if state.collection is not None:
        lineage = _source_lineage(state)
    elif state.sql is not None:
        lineage = _lineage(state, _sql(state, state.sql))
    return replace(state, columns=columns, lineage=lineage)


def _as_version(state: State, source: str, columns: dict[str, str]) -> tuple[str, dict[str, str]]:
    """Each row as the version that it would be if nothing else were known: open, and current."""
    definition = state.definition
    if own := [name for name in (VALID_TO, IS_CURRENT) if name in columns]:
        raise BrokenData("step.history_columns", dataset=definition.name, columns=", ".join(own))
    kind = definition.guard.contract.column(VALID_TO).type
    source = f"SELECT *, NULL::{kind} AS {VALID_TO}, true AS {IS_CURRENT} FROM ({source})"
    return source, {**columns, VALID_TO: kind, IS_CURRENT: "BOOLEAN"}


def _dated(lineage: ColumnLineage) -> ColumnLineage:
    """Column lineage with the columns of a version that follow from its time and the next one's."""
    times = tuple(Edge(e.dataset, e.column, "INDIRECT", "WINDOW") for e in lineage.fields.get(VALID_FROM, ()))
    return replace(lineage, fields={**lineage.fields, VALID_TO: times, IS_CURRENT: times}) if times else lineage


def code_version(definition: StepDefinition, sql: str | None) -> str:
    """SHA-256 over the function's text, the SQL that it gave, the contract and what the asset declares."""
    return digest({**own_code(definition), "sql": sql, "contract": definition.guard.contract.digest})


def own_code(definition: StepDefinition) -> dict[str, Any]:
    """The function's text and what the asset declares: what decides, beside the inputs, which rows are computed."""
    try:
        source = inspect.getsource(definition.compute)
    except (OSError, TypeError):
        source = repr(getattr(definition.compute, "__code__", definition.compute))
    return {
        "source": source,
        "declared": [
            definition.grain,
            definition.updating,
            dict(definition.filters),
            definition.deduplicate_by,
            dict(definition.totals),
            dict(definition.look_ups),
        ],
    }


def _source(state: State) -> Files | DatabaseQuery | ReleasedFiles:
    """Where a source's function says that its data is."""
    definition = state.definition
    found = _call(definition, _own_arguments(state))
    if not isinstance(found, (Files, DatabaseQuery, ReleasedFiles)):
        raise DefinitionError("step.source_kind", dataset=definition.name, found=type(found).__name__)
    return found


def _reading(found: Files | DatabaseQuery | ReleasedFiles) -> str | None:
    """How the bytes of files are read: the same bytes read in another way are other rows."""
    if not isinstance(found, Files):
        return None
    return repr((found.format, found.null, found.delimiter, found.encoding))


def _call(definition: StepDefinition, arguments: dict[str, Any]) -> Any:
    try:
        return definition.compute(**arguments)
    except EcluseError:
        raise
    except TypeError as error:
        if "argument" in str(error) and definition.compute.__name__ in str(error):
            raise DefinitionError("step.arguments", dataset=definition.name, error=error) from error
        raise


def _own_arguments(state: State) -> dict[str, Any]:
    """What the function takes beside its inputs: the partition, resources and config."""
    accepted = inspect.signature(state.definition.compute).parameters
    given = {"partition": state.request.partition, **state.request.arguments}
    return {k: v for k, v in given.items() if k in accepted}


def _table(pinned: Pinned) -> Table:
    return Table(quote(pinned.param), pinned.dataset, pinned.columns)


def _wants_data(definition: StepDefinition) -> bool:
    """Whether the function wants its inputs as data; one that takes ``ecluse.Table``, or nothing, gives SQL."""
    if not definition.ins:
        return _hints(definition.compute).get("return") not in (str, "str")
    return any(_wanted(definition, i.param) != _SQL for i in definition.ins)


def _wanted(definition: StepDefinition, param: str) -> tuple[str, str]:
    """The library and type that a parameter is annotated with; ``ecluse.Table`` where it isn't."""
    hint = _hints(definition.compute).get(param, Table)
    if isinstance(hint, str):
        library, _, name = hint.rpartition(".")
        return _LIBRARIES.get(library.split(".")[0], library.split(".")[0] or "ecluse"), name
    return str(hint.__module__).split(".")[0].strip("_"), str(getattr(hint, "__name__", hint))


def _hints(function: Callable[..., Any]) -> dict[str, Any]:
    """Annotations of a function; as they are written where a name is imported for type checking only."""
    try:
        return typing.get_type_hints(function)
    except NameError:
        return dict(getattr(function, "__annotations__", {}))


def _data_arguments(state: State) -> dict[str, Any]:
    return {p.param: _as_wanted(state, p) for p in state.inputs}


def _as_wanted(state: State, pinned: Pinned) -> Any:
    select = f"SELECT * FROM {quote(pinned.param)}"
    match wanted := _wanted(state.definition, pinned.param):
        case ("ecluse", "Table"):
            return _table(pinned)
        case ("duckdb", "DuckDBPyRelation"):
            return state.engine.relation(select)
        case ("pyarrow", "Table"):
            return state.engine.arrow(select)
        case ("pyarrow", "RecordBatchReader"):
            return state.engine.batches(select)
        case ("pandas", "DataFrame"):
            return state.engine.relation(select).df()
        case ("polars", "DataFrame" | "LazyFrame"):
            import polars as pl

            frame = pl.from_arrow(state.engine.arrow(select))
            assert isinstance(frame, pl.DataFrame)
            return frame.lazy() if wanted[1] == "LazyFrame" else frame
    raise DefinitionError("step.annotation", dataset=state.definition.name, param=pinned.param, found=".".join(wanted))


def _sql(state: State, given: str) -> str:
    """The user's query, carrying the origin of its rows where it can."""
    given = given.strip().rstrip(";")
    driving = state.driving
    if state.definition.grain != "row" or driving is None:
        return given
    carrying = with_origin(given, driving.param)
    if carrying is None:
        return given
    try:
        state.engine.describe(carrying)
    except EngineError:
        # NOTE: an aggregate over all rows, for example. What the user hears is about the query as it was written.
        return given
    return carrying


def _described(engine: Engine, source: str, dataset: str) -> dict[str, str]:
    with computing("step.sql", dataset=dataset):
        columns = [(name, type_) for name, type_, *_ in engine.rows(f"DESCRIBE {source}")]
    if twice := [name for name, count in Counter(name.lower() for name, _ in columns).items() if count > 1]:
        raise BrokenData("step.columns_twice", dataset=dataset, columns=", ".join(twice))
    return dict(columns)


def _lineage(state: State, sql: str) -> ColumnLineage:
    shown = {p.param: (p.dataset, {k: v for k, v in p.columns.items() if k != ORIGIN}) for p in state.inputs}
    if state.driving is not None and state.definition.grain == "row":
        shown[state.driving.param][1][ORIGIN] = "VARCHAR"
    found = columns_of(sql, shown)
    return replace(found, fields={k: v for k, v in found.fields.items() if k != ORIGIN})


def _source_lineage(state: State) -> ColumnLineage:
    assert state.collection is not None
    origins = [i.origin for i in state.collection.inputs]
    names = [c.name for c in state.definition.guard.contract.columns]
    return ColumnLineage(fields={n: tuple(Edge(o, n, "DIRECT", "IDENTITY") for o in origins) for n in names})
