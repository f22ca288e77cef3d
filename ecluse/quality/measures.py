"""Metrics about a table or a whole column, as SQL."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ecluse.quality import distribution, literals, ranks
from ecluse.quality.batch import Unknown, every
from ecluse.quality.conditions import condition_sql
from ecluse.quality.values import TIMES, Values

if TYPE_CHECKING:
    from ecluse.quality.plan import Measure, Plan


def aggregate(plan: Plan, name: str, domain: dict[str, Any], values: dict[str, Any]) -> Measure:
    """The measure of a metric that isn't row-level; ``Unknown`` where there is no SQL for it."""
    if domain.get("table"):
        raise Unknown("another table")
    batch = plan.batch
    condition = condition_sql(batch, domain.get("row_condition"), domain.get("condition_parser"))
    if name in ("table.columns", "table.column_count"):
        batch.note("schema", name)
    if name == "table.columns":
        return lambda: list(batch.columns)
    if name == "table.column_count":
        return lambda: len(batch.columns)
    if name == "table.row_count":
        return plan.count(condition)
    if name.startswith("unexpected_rows_query."):
        return _query(plan, name.removeprefix("unexpected_rows_query."), values)
    build = MEASURES.get(name)
    if domain.get("column") is None or build is None:
        raise Unknown(name)
    return build(values_of(plan, domain), values)


def values_of(plan: Plan, domain: dict[str, Any]) -> Values:
    """The values that count for a metric of a column."""
    batch, column = plan.batch, domain["column"]
    batch.kind(column)
    condition = condition_sql(batch, domain.get("row_condition"), domain.get("condition_parser"))
    return Values(plan, column, every(condition, batch.present(column)), condition)


def _extreme(function: str) -> Callable[[Values, dict[str, Any]], Measure]:
    return lambda column, _: column.comparable().over(f"{function}({column.sql})")


def _mean(column: Values, _: dict[str, Any]) -> Measure:
    # Kahan summation: the last digits of a plain float average change with the number of threads.
    return column.numeric().over(f"{'favg' if column.batch.kind(column.name) == 'float' else 'avg'}({column.sql})")


def _sum(column: Values, _: dict[str, Any]) -> Measure:
    kind = column.numeric().batch.kind(column.name)
    total = column.over(f"fsum({column.sql})" if kind == "float" else f"sum({column.sql})")

    def value() -> Any:
        found = total()
        if found is None:
            return 0
        return float(found) if kind == "decimal" else found

    return value


def _deviation(column: Values, _: dict[str, Any]) -> Measure:
    return column.numeric().over(f"stddev_samp({column.sql})")


def _median(column: Values, _: dict[str, Any]) -> Measure:
    return _ranked(column, ranks.median)


def _quantiles(column: Values, values: dict[str, Any]) -> Measure:
    return _ranked(column, ranks.quantiles(values))


def _ranked(column: Values, found: Callable[[int, ranks.At], Any]) -> Measure:
    source, count = column.numeric().source, column.over("count(*)")
    column.batch.note("ranks", column.sql)
    return lambda: found(count(), lambda asked: ranks.at_ranks(column.batch, source, asked, count()))


def _distinct(column: Values) -> Measure:
    if column.batch.family(column.name) == "other":
        raise Unknown("values that don't compare")
    if known := column.known:
        column.batch.note("values", column.sql)
        return lambda: column.plan.rows(f"SELECT count(*) FROM {known}")[0][0]
    groups = column.plan.groups((column.batch.value(column.name),), column.present)
    return lambda: groups()[0]


def _distinct_count(column: Values, _: dict[str, Any]) -> Measure:
    return _distinct(column)


def _share(part: Measure, whole: Measure) -> Measure:
    return lambda: part() / whole() if whole() else 0


def _unique_share(column: Values, _: dict[str, Any]) -> Measure:
    return _share(_distinct(column), column.over("count(*)"))


def _present_share(column: Values, _: dict[str, Any]) -> Measure:
    return _share(column.over("count(*)"), column.plan.count(column.condition))


def _most_common(column: Values, _: dict[str, Any]) -> Measure:
    sql = f"WITH g AS (FROM {column.comparable().counted}) SELECT v FROM g WHERE n = (SELECT max(n) FROM g) ORDER BY v"
    return lambda: [row[0] for row in column.plan.rows(sql)]


def outside_set(column: Values, values: dict[str, Any]) -> tuple[str, Measure]:
    """A query for the different values that aren't in the set, and how many they are."""
    if values.get("value_set") is None:
        raise Unknown("GX refuses this")
    found = literals.members(column.batch, column.name, values["value_set"])
    outside = f"NOT (v IN ({', '.join(found)}))" if found else "true"
    sql = f"SELECT v FROM {column.counted} WHERE {outside}"
    return sql, lambda: column.plan.rows(f"SELECT count(*) FROM ({sql})")[0][0]


def _outside_count(column: Values, values: dict[str, Any]) -> Measure:
    return outside_set(column, values)[1]


def _outside_values(column: Values, values: dict[str, Any]) -> Measure:
    sql, count = outside_set(column, values)
    tail = f" ORDER BY v LIMIT {int(values['limit'])}" if values.get("limit") is not None else " ORDER BY v"
    return lambda: [row[0] for row in column.plan.rows(sql + tail)] if count() else []


def absent_from_column(column: Values, values: dict[str, Any]) -> Measure:
    """The values of the set that don't occur, in its order."""
    if values.get("value_set") is None:
        raise Unknown("GX refuses this")
    wanted = list(dict.fromkeys(v for v in values["value_set"] if v is not None))
    kind = column.batch.kind(column.name)
    if len(wanted) != len(values["value_set"]) or kind in TIMES:
        raise Unknown("GX counts repeated and absent values by its own rules")
    conditions = [literals.members(column.batch, column.name, [v]) for v in wanted]
    present = [column.plan.count(column.present, f"{column.sql} = {c[0]}") if c else (lambda: 0) for c in conditions]
    return lambda: [v for v, count in zip(wanted, present, strict=True) if not count()]


def _absent_count(column: Values, values: dict[str, Any]) -> Measure:
    absent = absent_from_column(column, values)
    return lambda: len(absent())


def _absent_values(column: Values, values: dict[str, Any]) -> Measure:
    absent, limit = absent_from_column(column, values), values.get("limit")
    return lambda: absent()[:limit]


def _query(plan: Plan, what: str, values: dict[str, Any]) -> Measure:
    """A user's own SQL over ``{batch}``, each row of whose result is a failure."""
    text = values.get("unexpected_rows_query")
    if not isinstance(text, str) or what not in ("table", "row_count"):
        raise Unknown(what)
    sql = text.replace("{batch}", plan.batch.relation)
    plan.batch.note("pass", text)
    if what == "row_count":
        return lambda: plan.rows(f"SELECT count(*) FROM ({sql})")[0][0]
    names = list(plan.batch.engine.describe(sql))
    return lambda: [dict(zip(names, row, strict=True)) for row in plan.rows(f"SELECT * FROM ({sql}) LIMIT 200")]


#: What is measured of the table as a whole.
TABLE_METRICS = (
    "table.columns",
    "table.column_count",
    "table.row_count",
    "unexpected_rows_query.table",
    "unexpected_rows_query.row_count",
)
#: What is measured of a column, by GX's name for it.
MEASURES: dict[str, Callable[[Values, dict[str, Any]], Measure]] = {
    "column.min": _extreme("min"),
    "column.max": _extreme("max"),
    "column.mean": _mean,
    "column.sum": _sum,
    "column.standard_deviation": _deviation,
    "column.median": _median,
    "column.quantile_values": _quantiles,
    "column.value_counts": distribution.value_counts,
    "column.histogram": distribution.histogram,
    "column_values.nonnull.count": distribution.present_count,
    "column_values.between.count": distribution.between_count,
    "column.distinct_values.count": _distinct_count,
    "column.unique_proportion": _unique_share,
    "column.non_null_proportion": _present_share,
    "column.most_common_value": _most_common,
    "column.distinct_values.not_in_set.count": _outside_count,
    "column.distinct_values.not_in_set": _outside_values,
    "column.distinct_values.missing_from_column.count": _absent_count,
    "column.distinct_values.missing_from_column": _absent_values,
}
