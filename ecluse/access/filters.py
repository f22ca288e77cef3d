"""Whether a grant's row filter is one condition about a row, and nothing that could reach further."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

from ecluse.engine import Engine
from ecluse.errors import DefinitionError
from ecluse.texts import say

#: Parts of an expression that look beyond the row, by DuckDB's class, and the text that says so.
_BEYOND = {"SUBQUERY": "query", "WINDOW": "window", "STAR": "star", "PARAMETER": "parameter"}


@cache
def filter_problem(condition: str) -> tuple[str, str] | None:
    """Why a text is no row filter: the name of a text under ``access.filters`` and a detail; ``None`` where it is one.

    A filter is a single expression over the columns of a row. A query in it could read other data, a window other
    rows, and a volatile function answers differently each time, so that repeated reads would show more and more.
    """
    with Engine(threads=1) as engine:
        # NOTE: in brackets too, as it will stand: a semicolon at the end is no part of a condition.
        for text in (f"SELECT ({condition}\n)", f"SELECT {condition}"):
            said = json.loads(engine.scalar("SELECT json_serialize_sql($1)", [text]))
            if said["error"]:
                return "syntax", str(said["error_message"])
        nodes = [statement["node"] for statement in said["statements"]]
        if len(nodes) != 1 or not _is_one_expression(nodes[0]):
            return "several", condition
        parts = list(_parts(nodes[0]["select_list"]))
        beyond = next((part["class"] for part in parts if part.get("class") in _BEYOND), None)
        if beyond is not None:
            return _BEYOND[beyond], condition
        called = sorted({str(part["function_name"]).lower() for part in parts if part.get("class") == "FUNCTION"})
        volatile = engine.rows(
            "SELECT DISTINCT function_name FROM duckdb_functions() WHERE stability = 'VOLATILE' AND function_name IN "
            "(SELECT unnest($1::VARCHAR[])) ORDER BY 1",
            [called],
        )
        return ("volatile", str(volatile[0][0])) if volatile else None


def confirm_filter(condition: str) -> None:
    """``DefinitionError`` where a text is no row filter."""
    if (problem := filter_problem(condition)) is not None:
        key, detail = problem
        raise DefinitionError("access.no_filter", filter=condition, problem=say(f"access.filters.{key}", detail=detail))


def _is_one_expression(node: dict[str, Any]) -> bool:
    """Whether a query is nothing but ``SELECT`` and one expression."""
    if node.get("type") != "SELECT_NODE" or len(node["select_list"]) != 1:
        return False
    allowed = {"type", "select_list", "from_table"}
    bare = node["from_table"].get("type") == "EMPTY" and not node["select_list"][0].get("alias")
    return bare and not any(_says_something(value) for name, value in node.items() if name not in allowed)


def _says_something(clause: Any) -> bool:
    if isinstance(clause, dict):
        return any(_says_something(value) for value in clause.values())
    return clause not in (None, [], False, "", "STANDARD_HANDLING")


def _parts(found: Any) -> Iterator[dict[str, Any]]:
    if isinstance(found, dict):
        yield found
    for inner in found.values() if isinstance(found, dict) else found if isinstance(found, list) else ():
        yield from _parts(inner)
