"""A condition that somebody typed: one expression over the columns at hand, which reads nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from ecluse.engine import Engine
from ecluse.errors import DefinitionError


def confirm_condition(engine: Engine, dataset: str, condition: str) -> None:
    """``DefinitionError`` where a text is anything but one condition: a query in it could read what isn't shown.

    DuckDB itself says what the text is, so that it can't be read in one way here and in another where it runs.
    """
    plain, given = (_parsed(engine, text) for text in ("true", condition))
    _, where = (query.pop("where_clause", None) for query in (plain, given))
    # NOTE: of nothing, DuckDB makes an empty row.
    one = bool(condition.strip()) and given == plain
    if not one or any(part.get("class") == "SUBQUERY" for part in _parts(where)):
        raise DefinitionError("step.read_where", dataset=dataset)


def _parsed(engine: Engine, condition: str) -> dict[str, Any]:
    """The one query that has the condition, as DuckDB reads it; nothing where it is no query, or several."""
    # NOTE: the line break keeps a comment at the condition's end from swallowing the bracket.
    found = json.loads(engine.scalar("SELECT json_serialize_sql(?)", [f"SELECT 1 WHERE ({condition}\n)"]))
    statements = found.get("statements", [])
    return dict(statements[0]["node"]) if len(statements) == 1 else {}


def _parts(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        for part in value.values():
            yield from _parts(part)
    elif isinstance(value, list):
        for part in value:
            yield from _parts(part)
