"""The kinds of data that a Python function may return, as views that SQL can select from."""

from __future__ import annotations

import contextlib
from typing import Any

from ecluse.engine import Engine, EngineError, quote
from ecluse.errors import DefinitionError

_KINDS = frozenset(
    {
        ("duckdb", "DuckDBPyRelation"),
        ("pandas", "DataFrame"),
        ("polars", "DataFrame"),
        ("polars", "LazyFrame"),
        ("pyarrow", "RecordBatchReader"),
        ("pyarrow", "Table"),
    }
)
_VIEW = "_ecluse_computed"


def kind_of_data(value: Any) -> tuple[str, str] | None:
    """The library and class of a frame, an Arrow table or a DuckDB relation; ``None`` for anything else."""
    kinds = ((c.__module__.split(".")[0].strip("_"), c.__name__) for c in type(value).__mro__)
    return next((kind for kind in kinds if kind in _KINDS), None)


def data_view(engine: Engine, given: Any, dataset: str) -> str:
    """A view over data of any accepted kind; its quoted name."""
    match kind_of_data(given):
        case None:
            raise DefinitionError("step.returned", dataset=dataset, found=type(given).__name__)
        case ("duckdb", _):
            return _relation_view(engine, given)
        case ("pyarrow", "RecordBatchReader"):
            given = given.read_all()
        case ("polars", "LazyFrame"):
            given = given.collect().to_arrow()
        case ("polars", _):
            given = given.to_arrow()
    engine.connection.register(_VIEW, given)
    return quote(_VIEW)


def _relation_view(engine: Engine, relation: Any) -> str:
    try:
        relation.create_view(_VIEW, replace=True)
        engine.describe(f"SELECT * FROM {quote(_VIEW)}")
    except EngineError:
        # NOTE: a relation of another connection makes its view there, or can't; its rows then pass through Arrow.
        engine.connection.register(_VIEW, relation.to_arrow_table())
        with contextlib.suppress(EngineError):
            relation.query("_ecluse_relation", f"DROP VIEW {quote(_VIEW)}")
    return quote(_VIEW)
