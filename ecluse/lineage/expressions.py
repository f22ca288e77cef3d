"""What each class of bound expression does with the columns that it reads."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ecluse.lineage.influences import NOTHING, Column, deciding, merged, transformed
from ecluse.lineage.plan import Node, UnknownPlan, function_name, refuse_unread

#: Functions whose result doesn't show the value that they were given.
MASKING = frozenset(
    {
        "approx_count_distinct",
        "count",
        "count_star",
        "hash",
        "len",
        "length",
        "md5",
        "md5_number",
        "sha1",
        "sha256",
        "strlen",
    }
)


@dataclass(frozen=True)
class Scope:
    """What an expression can refer to: its input's columns by position, and other operators' columns by their index."""

    columns: tuple[Column, ...]
    bound: Mapping[int, tuple[Column, ...]]


def influence(node: Node, scope: Scope) -> Column:
    """Everything that influences the value of one expression."""
    kind = node.get("expression_class", "")
    if kind not in _CLASSES:
        raise UnknownPlan(f"the expression {kind or node.get('type')!r} is not understood.")
    read, reader = _CLASSES[kind]
    refuse_unread(node, kind, read)
    return reader(node, scope)


def _children(node: Node, scope: Scope) -> list[Column]:
    return [influence(child, scope) for child in node.get("children", [])]


def _position(node: Node, scope: Scope) -> Column:
    index: int = node.get("index", 0)
    if index >= len(scope.columns):
        raise UnknownPlan(f"column {index} is referred to where there are {len(scope.columns)}.")
    return scope.columns[index]


def _binding(node: Node, scope: Scope) -> Column:
    table: int = node["binding"]["table_index"]
    index: int = node["binding"]["column_index"]
    if index >= len(scope.bound.get(table, ())):
        raise UnknownPlan(f"column {index} of operator {table} is referred to, which is not known.")
    return scope.bound[table][index]


def _constant(_node: Node, _scope: Scope) -> Column:
    return NOTHING


def _function(node: Node, scope: Scope) -> Column:
    return transformed(merged(_children(node, scope)), "TRANSFORMATION", masking=function_name(node) in MASKING)


def _operator(node: Node, scope: Scope) -> Column:
    inputs = _children(node, scope)
    if node["type"] == "OPERATOR_COALESCE":
        # Each value but the last also decides, by being null or not, whether the next one shows.
        inputs += [deciding(column, "CONDITIONAL") for column in inputs[:-1]]
    return transformed(merged(inputs), "TRANSFORMATION")


def _case(node: Node, scope: Scope) -> Column:
    found = [influence(node["else_expr"], scope)]
    for check in node["case_checks"]:
        found += [
            influence(check["then_expr"], scope),
            deciding(influence(check["when_expr"], scope), "CONDITIONAL"),
        ]
    return transformed(merged(found), "TRANSFORMATION")


def _aggregate(node: Node, scope: Scope) -> Column:
    values = transformed(merged(_children(node, scope)), "AGGREGATION", masking=function_name(node) in MASKING)
    found = [values]
    if "filter" in node:
        found.append(deciding(influence(node["filter"], scope), "CONDITIONAL"))
    orders = (node.get("order_bys") or {}).get("orders", [])
    found += [deciding(influence(order["expression"], scope), "SORT") for order in orders]
    return merged(found)


def _window(node: Node, scope: Scope) -> Column:
    subtype = "AGGREGATION" if node["type"] == "WINDOW_AGGREGATE" else "TRANSFORMATION"
    values = transformed(merged(_children(node, scope)), subtype, masking=function_name(node) in MASKING)
    deciders = [influence(part, scope) for part in node.get("partitions", [])]
    deciders += [
        influence(order["expression"], scope) for order in (*node.get("orders", []), *node.get("arg_orders", []))
    ]
    deciders += [influence(node[key], scope) for key in ("filters", "start_expr", "end_expr") if key in node]
    return values | deciding(merged(deciders), "WINDOW")


def _unnest(node: Node, scope: Scope) -> Column:
    return transformed(influence(node["child"], scope), "TRANSFORMATION")


_Reader = Callable[[Node, Scope], Column]

#: Expression class → the keys under which it holds expressions, and its reader.
#: A lambda adds nothing: the columns that it captures stand beside it as arguments of the function that takes it.
_CLASSES: dict[str, tuple[frozenset[str], _Reader]] = {
    "BOUND_AGGREGATE": (frozenset({"children", "filter", "order_bys", "function_data"}), _aggregate),
    "BOUND_CASE": (frozenset({"case_checks", "else_expr"}), _case),
    "BOUND_COLUMN_REF": (frozenset(), _binding),
    "BOUND_CONJUNCTION": (frozenset({"children"}), _function),
    "BOUND_CONSTANT": (frozenset(), _constant),
    "BOUND_FUNCTION": (frozenset({"children", "function_data"}), _function),
    "BOUND_LAMBDA": (frozenset({"lambda_expr"}), _constant),
    "BOUND_OPERATOR": (frozenset({"children"}), _operator),
    "BOUND_REF": (frozenset(), _position),
    "BOUND_UNNEST": (frozenset({"child"}), _unnest),
    "BOUND_WINDOW": (
        frozenset(
            {"children", "partitions", "orders", "arg_orders", "filters", "start_expr", "end_expr", "function_data"}
        ),
        _window,
    ),
}
