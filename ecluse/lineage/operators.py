"""What each operator of a bound plan does with the columns of its inputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ecluse.lineage.expressions import Scope, influence
from ecluse.lineage.influences import NOTHING, Column, Relation, deciding, merged, transformed
from ecluse.lineage.plan import Node, UnknownPlan, function_name, refuse_unread
from ecluse.model.lineage import Edge

#: DuckDB's own names for what it adds in order to carry out correlated subqueries.
_DELIM = "__duckdb_delim"

#: Table functions that read nothing but their arguments.
_GENERATORS = frozenset({"generate_series", "range", "repeat", "unnest"})

#: How often a recursive query is followed before its lineage must have settled: one round per new edge, at most.
_ROUNDS = 1000


@dataclass
class Walk:
    """One walk over a plan.

    ``tables`` maps a table of the engine to its dataset. ``ctes`` and ``bound`` hold what was already walked, by the
    index that DuckDB gave it.
    """

    tables: Mapping[str, str]
    ctes: dict[int, Relation] = field(default_factory=dict)
    bound: dict[int, tuple[Column, ...]] = field(default_factory=dict)

    def relation(self, node: Node) -> Relation:
        """Columns and deciders of one operator; ``UnknownPlan`` for one that is not understood."""
        kind = node["type"]
        if kind not in _OPERATORS:
            raise UnknownPlan(f"the operator {kind} is not understood.")
        read, reader = _OPERATORS[kind]
        refuse_unread(node, kind, read | {"children"})
        found = reader(self, node)
        if "table_index" in node:
            self.bound[node["table_index"]] = found.columns
        return found

    def only_child(self, node: Node) -> Relation:
        """The one input of an operator."""
        (child,) = node["children"]
        return self.relation(child)

    def influences(self, expressions: Sequence[Node], columns: tuple[Column, ...]) -> list[Column]:
        """What influences each expression over ``columns``."""
        scope = Scope(columns, self.bound)
        return [influence(expression, scope) for expression in expressions]


def _picked(columns: tuple[Column, ...], positions: Sequence[int] | None) -> tuple[Column, ...]:
    return tuple(columns[i] for i in positions) if positions else columns


# ---------------------------------------------------------------------------------------------------------- sources


def _get(walk: Walk, node: Node) -> Relation:
    if node.get("children"):
        return _table_function_of_rows(walk, node)
    table = _table(node)
    if table is None:
        if function_name(node) in _GENERATORS:
            return Relation((NOTHING,) * len(node["column_indexes"]))
        raise UnknownPlan(f"the table function {function_name(node)!r} is not understood.")
    if table not in walk.tables:
        raise UnknownPlan(f"the table {table!r} is not one of the inputs.")
    names, dataset = node["names"], walk.tables[table]
    # NOTE: a number beyond the names is a virtual column such as rowid. COUNT(*) reads one without showing it;
    # whoever shows it gets an edge to a column that no input has, which columns_of reports.
    positions = [i["index"] for i in node["column_indexes"]]
    return Relation(
        tuple(
            frozenset({Edge(dataset, names[i] if i < len(names) else f"virtual column {i}", "DIRECT", "IDENTITY")})
            for i in positions
        )
    )


def _table(node: Node) -> str | None:
    data = node.get("function_data")
    path = data.get("qualified_name", {}).get("path") if isinstance(data, dict) else None
    return str(path[-1]) if path else None


def _table_function_of_rows(walk: Walk, node: Node) -> Relation:
    """A table function that is called once per row of its input, such as ``unnest(orders.tags)``."""
    if function_name(node) not in _GENERATORS:
        raise UnknownPlan(f"the table function {function_name(node)!r} is not understood.")
    child = walk.only_child(node)
    carried = node.get("projected_input", [])
    arguments = merged(column for i, column in enumerate(child.columns) if i not in carried)
    made = tuple(
        NOTHING if i["index"] == node["ordinality_idx"] else transformed(arguments, "TRANSFORMATION")
        for i in node["column_indexes"]
    )
    kept = tuple(child.columns[i] for i in carried)
    return Relation(made + kept, child.rows).decided_by([arguments], "JOIN")


def _constants(key: str) -> Callable[[Walk, Node], Relation]:
    def read(_walk: Walk, node: Node) -> Relation:
        return Relation((NOTHING,) * len(node.get(key, [])))

    return read


def _dummy(_walk: Walk, _node: Node) -> Relation:
    return Relation((NOTHING,))


def _expression_get(walk: Walk, node: Node) -> Relation:
    child = walk.only_child(node)
    rows = [walk.influences(row, child.columns) for row in node["expressions"]]
    return Relation(tuple(merged(column) for column in zip(*rows, strict=True)), child.rows)


# -------------------------------------------------------------------------------------------------------- one input


def _projection(walk: Walk, node: Node) -> Relation:
    child = walk.only_child(node)
    return Relation(tuple(walk.influences(node["expressions"], child.columns)), child.rows)


def _filter(walk: Walk, node: Node) -> Relation:
    child = walk.only_child(node)
    kept = Relation(_picked(child.columns, node.get("projection_map")), child.rows)
    return kept.decided_by(walk.influences(node.get("expressions", []), child.columns), "FILTER")


def _aggregate(walk: Walk, node: Node) -> Relation:
    child = walk.only_child(node)
    groups = walk.influences(node.get("groups", []), child.columns)
    values = walk.influences(node.get("expressions", []), child.columns)
    grouping = (NOTHING,) * len(node.get("grouping_functions", []))
    found = Relation((*groups, *values, *grouping), child.rows)
    return found if _is_delim(node["children"][0]) else found.decided_by(groups, "GROUP_BY")


def _is_delim(node: Node) -> bool:
    """Whether DuckDB made the operator to find the distinct values for which a correlated subquery is run.

    Grouping by these decides nothing about the query's rows: they are joined back to every row they came from.
    """
    return node["type"] == "LOGICAL_CTE_REF" and any(n.startswith(_DELIM) for n in node.get("bound_columns", []))


def _window(walk: Walk, node: Node) -> Relation:
    child = walk.only_child(node)
    return Relation((*child.columns, *walk.influences(node["expressions"], child.columns)), child.rows)


def _unnest(walk: Walk, node: Node) -> Relation:
    child = walk.only_child(node)
    values = walk.influences(node["expressions"], child.columns)
    # The length of the list decides how often each row is there, also for columns that aren't unnested.
    return Relation((*child.columns, *values), child.rows).decided_by(values, "JOIN")


def _distinct(walk: Walk, node: Node) -> Relation:
    child = walk.only_child(node)
    targets = walk.influences(node.get("distinct_targets", []), child.columns) or child.columns
    orders = [order["expression"] for order in (node.get("order_by") or {}).get("orders", [])]
    return child.decided_by(targets, "GROUP_BY").decided_by(walk.influences(orders, child.columns), "SORT")


def _order(walk: Walk, node: Node) -> Relation:
    child = walk.only_child(node)
    orders = [order["expression"] for order in node.get("orders", [])]
    kept = Relation(_picked(child.columns, node.get("projection_map")), child.rows)
    return kept.decided_by(walk.influences(orders, child.columns), "SORT")


def _limit(walk: Walk, node: Node) -> Relation:
    child = walk.only_child(node)
    values = [node[key]["expression"] for key in ("limit_val", "offset_val") if "expression" in node.get(key, {})]
    return child.decided_by(walk.influences(values, child.columns), "FILTER")


def _sample(walk: Walk, node: Node) -> Relation:
    return walk.only_child(node)


# ------------------------------------------------------------------------------------------------------- two inputs


def _join(walk: Walk, node: Node) -> Relation:
    if node.get("delim_flipped"):
        raise UnknownPlan("a join whose correlated side comes first is not understood.")
    left, right = (walk.relation(child) for child in node["children"])
    conditions = _conditions(walk, node, left, right)
    kept_left = _picked(left.columns, node.get("left_projection_map"))
    kept_right = _picked(right.columns, node.get("right_projection_map"))
    joined = Relation((), left.rows | right.rows).decided_by(conditions, "JOIN")
    match node["join_type"]:
        case "FULL" | "INNER" | "LEFT" | "RIGHT" | "SINGLE":
            return Relation(kept_left + kept_right, joined.rows)
        case "SEMI" | "ANTI":
            return Relation(kept_left, joined.rows)
        case "RIGHT_SEMI" | "RIGHT_ANTI":
            return Relation(kept_right, joined.rows)
        case "MARK":
            # One more column says whether a partner exists; no row comes or goes.
            mark = transformed(merged(conditions), "TRANSFORMATION") | deciding(right.rows, "CONDITIONAL")
            return Relation((*kept_left, mark), left.rows)
        case other:
            raise UnknownPlan(f"the join type {other} is not understood.")


def _conditions(walk: Walk, node: Node, left: Relation, right: Relation) -> list[Column]:
    both = left.columns + right.columns
    found: list[Column] = []
    for condition in node.get("conditions", []):
        if "right" in condition:
            found += walk.influences([condition["left"]], left.columns)
            found += walk.influences([condition["right"]], right.columns)
        elif "left" in condition:
            # A condition that doesn't compare one side with the other refers to both sides by position.
            found += walk.influences([condition["left"]], both)
        else:
            raise UnknownPlan("a join condition without sides is not understood.")
    return found + (walk.influences([node["condition"]], both) if "condition" in node else [])


def _side_by_side(walk: Walk, node: Node) -> Relation:
    left, right = (walk.relation(child) for child in node["children"])
    return Relation(left.columns + right.columns, left.rows | right.rows)


def _union(walk: Walk, node: Node) -> Relation:
    return _stacked([walk.relation(child) for child in node["children"]])


def _stacked(inputs: Sequence[Relation]) -> Relation:
    columns = zip(*(i.columns for i in inputs), strict=True)
    return Relation(tuple(merged(column) for column in columns), merged(i.rows for i in inputs))


def _compared(walk: Walk, node: Node) -> Relation:
    """``EXCEPT`` and ``INTERSECT``: the left side's rows, decided by every column of both sides."""
    left, *others = (walk.relation(child) for child in node["children"])
    sides = (left, *others)
    found = Relation(left.columns, merged(side.rows for side in sides))
    return found.decided_by([column for side in sides for column in side.columns], "FILTER")


# ------------------------------------------------------------------------------------------ common table expressions


def _cte(walk: Walk, node: Node) -> Relation:
    definition, query = node["children"]
    walk.ctes[node["table_index"]] = walk.relation(definition)
    return walk.relation(query)


def _cte_reference(walk: Walk, node: Node) -> Relation:
    if node["cte_index"] not in walk.ctes:
        raise UnknownPlan(f"the common table expression {node['cte_index']} is referred to before it is defined.")
    return walk.ctes[node["cte_index"]]


def _recursive_cte(walk: Walk, node: Node) -> Relation:
    start, step = node["children"]
    known = walk.relation(start)
    for _ in range(_ROUNDS):
        walk.ctes[node["table_index"]] = known
        grown = _stacked([known, walk.relation(step)])
        if not node.get("union_all", False):
            grown = grown.decided_by(grown.columns, "GROUP_BY")
        if grown == known:
            return known
        known = grown
    raise UnknownPlan("the lineage of a recursive query doesn't settle.")


_Reader = Callable[[Walk, Node], Relation]


def _reads(reader: _Reader, *keys: str) -> tuple[frozenset[str], Any]:
    return frozenset(keys), reader


#: Operator → the keys under which it holds expressions, and its reader.
_OPERATORS: dict[str, tuple[frozenset[str], _Reader]] = {
    "LOGICAL_AGGREGATE_AND_GROUP_BY": _reads(_aggregate, "groups", "expressions"),
    "LOGICAL_ANY_JOIN": _reads(_join, "condition"),
    "LOGICAL_ASOF_JOIN": _reads(_join, "conditions"),
    "LOGICAL_CHUNK_GET": _reads(_constants("chunk_types")),
    "LOGICAL_COMPARISON_JOIN": _reads(_join, "conditions"),
    "LOGICAL_CROSS_PRODUCT": _reads(_side_by_side),
    "LOGICAL_CTE_REF": _reads(_cte_reference),
    "LOGICAL_DISTINCT": _reads(_distinct, "distinct_targets", "order_by"),
    "LOGICAL_DUMMY_SCAN": _reads(_dummy),
    "LOGICAL_EMPTY_RESULT": _reads(_constants("return_types")),
    "LOGICAL_EXCEPT": _reads(_compared),
    "LOGICAL_EXPRESSION_GET": _reads(_expression_get, "expressions"),
    "LOGICAL_FILTER": _reads(_filter, "expressions"),
    "LOGICAL_GET": _reads(_get),
    "LOGICAL_INTERSECT": _reads(_compared),
    "LOGICAL_LIMIT": _reads(_limit, "limit_val", "offset_val"),
    "LOGICAL_MATERIALIZED_CTE": _reads(_cte),
    "LOGICAL_ORDER_BY": _reads(_order, "orders"),
    "LOGICAL_POSITIONAL_JOIN": _reads(_side_by_side),
    "LOGICAL_PROJECTION": _reads(_projection, "expressions"),
    "LOGICAL_RECURSIVE_CTE": _reads(_recursive_cte),
    "LOGICAL_SAMPLE": _reads(_sample),
    "LOGICAL_UNION": _reads(_union),
    "LOGICAL_UNNEST": _reads(_unnest, "expressions"),
    "LOGICAL_WINDOW": _reads(_window, "expressions"),
}
