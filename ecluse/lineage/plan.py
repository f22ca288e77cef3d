"""The logical plan to which DuckDB binds a query, before it optimises: every star, alias and subquery resolved."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from ecluse.engine import Engine, literal

#: An operator or expression of the plan, as DuckDB writes it.
Node = dict[str, Any]


class UnknownPlan(Exception):
    """The plan holds something that isn't understood: no fault but a finding, an entry of ``ColumnLineage.errors``."""


def bound_plan(engine: Engine, sql: str) -> Node:
    """The root operator of the one query in ``sql``; ``UnknownPlan`` where DuckDB can't write its plan as JSON."""
    # NOTE: this JSON is no stable interface of DuckDB. The corpus in tests/lineage/columns is run on each version.
    found = json.loads(
        engine.scalar(
            f"SELECT json_serialize_plan({literal(sql)}, skip_null := true, skip_empty := true, "
            "skip_default := false, optimize := false)"
        )
    )
    if found["error"]:
        raise UnknownPlan(f"DuckDB has no plan as JSON for this statement: {found.get('error_message')}")
    if len(found["plans"]) != 1:
        raise UnknownPlan(f"{len(found['plans'])} statements were given; column lineage is of one query.")
    root: Node = found["plans"][0]
    return root


def refuse_unread(node: Node, kind: str, read: frozenset[str]) -> None:
    """Raise ``UnknownPlan`` where ``node`` holds an expression under a key that its reader doesn't know.

    DuckDB adds attributes to its operators from version to version; an expression that nobody read would be a
    missing edge, and a missing edge looks like proof of independence.
    """
    for key, value in node.items():
        if key not in read and any(_expressions(value)):
            raise UnknownPlan(f"{kind} holds an expression under {key!r}, which is not understood.")


def _expressions(value: Any) -> Iterator[Node]:
    if isinstance(value, dict):
        if "expression_class" in value:
            yield value
        for inner in value.values():
            yield from _expressions(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _expressions(inner)


def function_name(node: Node) -> str:
    """The last part of the qualified name of the function that a node calls, in lower case."""
    path = (node.get("qname") or {}).get("path") or [""]
    return str(path[-1]).lower()
