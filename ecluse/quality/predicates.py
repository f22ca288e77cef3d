"""What a row-level metric asks of each row, as two SQL conditions: is the row asked, and does it keep the promise."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from ecluse.engine.sql import literal, quote
from ecluse.quality import literals, parsed, spread
from ecluse.quality.batch import POSITION, Batch, Unknown, every, numbered
from ecluse.quality.conditions import condition_sql
from ecluse.quality.distinct import kept_by_python
from ecluse.quality.ordered import ordered
from ecluse.quality.patterns import translate


@dataclass(frozen=True)
class Question:
    """One row-level question: ``asked`` and ``kept`` are SQL conditions, ``columns`` what a failing row shows.

    ``keys`` is set where keeping the promise depends on other rows: the SQL values that must be unique among the
    rows that are asked. ``breaks`` is SQL for the opposite of ``kept``, where it has a shorter one and is never null.
    ``follows`` is set where it depends on the row before among those that are asked: the SQL
    value that ``kept`` calls ``v``, and ``before`` in that row.
    """

    asked: str
    kept: str
    columns: tuple[str, ...]
    keys: tuple[str, ...] = ()
    follows: str | None = None
    breaks: str | None = None

    def steps(self, relation: str, position: str = "NULL") -> str:
        """A query for the ``p`` of the rows of ``relation`` that don't follow the row before as promised."""
        asked = f"SELECT {position} AS p, {self.follows} AS v FROM {relation} WHERE {self.asked}"
        return f"SELECT p FROM (SELECT p, v, lag(v) OVER () AS before FROM ({asked})) WHERE NOT {self.kept}"

    def broken(self, relation: str) -> str:
        """SQL that is true for the rows of ``relation`` that break the promise, and false for all others.

        Where ``follows`` is set it is about the rows' positions, which ``relation`` then must give.
        """
        if self.follows:
            return f"({quote(POSITION)} IN ({self.steps(numbered(relation), quote(POSITION))}))"
        if not self.keys:
            broken = self.breaks or ("false" if self.kept == "true" else f"NOT coalesce({self.kept}, false)")
            return "false" if broken == "false" else f"({every(self.asked, broken)})"
        key = "{" + ", ".join(f"'k{i}': {k}" for i, k in enumerate(self.keys)) + "}"
        groups = ", ".join(str(i + 2) for i in range(len(self.keys)))
        listed = ", ".join(f"{k} AS k{i}" for i, k in enumerate(self.keys))
        grouped = f"SELECT {key} AS k, {listed} FROM {relation} WHERE {self.asked} GROUP BY 1, {groups}"
        repeated = f"{grouped} HAVING count(*) > 1"
        return f"({self.asked} AND {key} IN (SELECT k FROM ({repeated})))"


Builder = Callable[[Batch, dict[str, Any], dict[str, Any]], Question]


def question(batch: Batch, metric: str, domain: dict[str, Any], values: dict[str, Any]) -> Question:
    """The question behind a row-level metric of GX (``column_values.between``); ``Unknown`` without SQL for it."""
    if domain.get("table"):
        raise Unknown("another table")
    named = [domain.get(key) for key in ("column", "column_A", "column_B")]
    for column in [*named, *(domain.get("column_list") or ())]:
        if column is not None:
            batch.kind(column)
    build = QUESTIONS.get(metric)
    if build is None:
        raise Unknown(metric)
    condition = condition_sql(batch, domain.get("row_condition"), domain.get("condition_parser"))
    found = build(batch, domain, values)
    return replace(found, asked=every(condition, found.asked))


def _column(kept: Callable[[Batch, str, dict[str, Any]], str]) -> Builder:
    """A question about the values of one column, which rows without a value aren't asked."""

    def build(batch: Batch, domain: dict[str, Any], values: dict[str, Any]) -> Question:
        column = domain["column"]
        return Question(batch.present(column), kept(batch, column, values), (column,))

    return build


def _measured(kept: Callable[[Batch, dict[str, Any], dict[str, Any]], str]) -> Builder:
    """A question that needs to know which rows are asked, to look at their values first."""

    def build(batch: Batch, domain: dict[str, Any], values: dict[str, Any]) -> Question:
        column = domain["column"]
        return Question(batch.present(column), kept(batch, domain, values), (column,))

    return build


def _in_order(operator: str) -> Builder:
    """A question about a value and the one before it."""
    kept = ordered(operator)

    def build(batch: Batch, domain: dict[str, Any], values: dict[str, Any]) -> Question:
        column = domain["column"]
        return Question(batch.present(column), kept(batch, column, values), (column,), follows=quote(column))

    return build


def _present(batch: Batch, domain: dict[str, Any], _: dict[str, Any]) -> Question:
    column = domain["column"]
    return Question("true", batch.present(column), (column,), breaks=batch.missing(column))


def _absent(batch: Batch, domain: dict[str, Any], _: dict[str, Any]) -> Question:
    column = domain["column"]
    return Question("true", batch.missing(column), (column,), breaks=f"(NOT {batch.missing(column)})")


def _unique(batch: Batch, domain: dict[str, Any], _: dict[str, Any]) -> Question:
    column = domain["column"]
    return Question(batch.present(column), "", (column,), (batch.value(column),))


def _in_set(batch: Batch, column: str, values: dict[str, Any]) -> str:
    if values.get("value_set") is None:
        return "true"
    found = literals.members(batch, column, values["value_set"])
    return f"{quote(column)} IN ({', '.join(found)})" if found else "false"


def _not_in_set(batch: Batch, column: str, values: dict[str, Any]) -> str:
    return "true" if values.get("value_set") is None else f"NOT ({_in_set(batch, column, values)})"


def _between(batch: Batch, column: str, values: dict[str, Any]) -> str:
    return literals.between(batch.kind(column), quote(column), values)


def _text(batch: Batch, column: str) -> str:
    if batch.kind(column) != "text":
        raise Unknown("GX reads other values as Python writes them")
    return quote(column)


def _length_equals(batch: Batch, column: str, values: dict[str, Any]) -> str:
    return f"length({_text(batch, column)}) = {literals.for_kind('integer', values['value'])}"


def _length_between(batch: Batch, column: str, values: dict[str, Any]) -> str:
    return literals.between("integer", f"length({_text(batch, column)})", values)


def _matches(batch: Batch, column: str, pattern: str) -> str:
    """SQL that is true where Python's ``re.search`` finds ``pattern`` in the text."""
    name = _text(batch, column)
    try:
        found = translate(pattern)
        batch.engine.scalar(f"SELECT regexp_matches('', {literal(found.re2)})")
    except Unknown:
        return kept_by_python(batch, column, _searcher(pattern))
    except Exception:  # noqa: BLE001 # RE2 refuses some patterns that are valid, for example too many repetitions
        return kept_by_python(batch, column, _searcher(pattern))
    matches = f"regexp_matches({name}, {literal(found.re2)})"
    if not found.ascii_only:
        return matches
    ascii_text = f"strlen({name}) = length({name})"
    others = kept_by_python(batch, column, _searcher(pattern), where=f"NOT ({ascii_text})")
    return f"CASE WHEN {ascii_text} THEN {matches} ELSE {others} END"


def _searcher(pattern: str) -> Callable[[str], bool]:
    compiled = re.compile(pattern)
    return lambda text: compiled.search(text) is not None


def _match_regex(batch: Batch, column: str, values: dict[str, Any]) -> str:
    return _matches(batch, column, values["regex"])


def _not_match_regex(batch: Batch, column: str, values: dict[str, Any]) -> str:
    return f"NOT ({_matches(batch, column, values['regex'])})"


def _match_regex_list(batch: Batch, column: str, values: dict[str, Any]) -> str:
    if not values["regex_list"] or values.get("match_on") not in (None, "any", "all"):
        raise Unknown("GX refuses this")
    word = " AND " if values.get("match_on") == "all" else " OR "
    return "(" + word.join(f"({_matches(batch, column, p)})" for p in values["regex_list"]) + ")"


def _not_match_regex_list(batch: Batch, column: str, values: dict[str, Any]) -> str:
    return f"NOT {_match_regex_list(batch, column, {'regex_list': values['regex_list']})}"


def _pair(kept: Callable[[Batch, str, str, dict[str, Any]], str]) -> Builder:
    """A question about two columns of a row."""

    def build(batch: Batch, domain: dict[str, Any], values: dict[str, Any]) -> Question:
        a, b = domain["column_A"], domain["column_B"]
        no_a, no_b = batch.missing(a), batch.missing(b)
        asked = {
            "both_values_are_missing": "true" if "false" in (no_a, no_b) else f"NOT ({no_a} AND {no_b})",
            "either_value_is_missing": every(batch.present(a), batch.present(b)),
            "neither": "true",
        }.get(domain.get("ignore_row_if") or "both_values_are_missing")
        if asked is None:
            raise Unknown("GX refuses this")
        return Question(asked, kept(batch, a, b, values), (a, b))

    return build


def _greater(batch: Batch, a: str, b: str, values: dict[str, Any]) -> str:
    _one_family(batch, [a, b])
    operator = ">=" if values.get("or_equal") else ">"
    return every(f"{quote(a)} {operator} {quote(b)}", batch.present(a), batch.present(b))


def _equal(batch: Batch, a: str, b: str, _: dict[str, Any]) -> str:
    _one_family(batch, [a, b])
    return every(f"{quote(a)} = {quote(b)}", batch.present(a), batch.present(b))


def _pair_in_set(batch: Batch, a: str, b: str, values: dict[str, Any]) -> str:
    if values.get("value_pairs_set") is None:
        return "true"

    def same(column: str, value: Any) -> str:
        if value is None:
            return batch.missing(column)
        found = literals.members(batch, column, [value])
        return f"({every(batch.present(column), f'{quote(column)} = {found[0]}')})" if found else "false"

    pairs = [f"({same(a, x)} AND {same(b, y)})" for x, y in values["value_pairs_set"]]
    return " OR ".join(pairs) or "false"


def _several(kept: Callable[[Batch, list[str], dict[str, Any]], str]) -> Builder:
    """A question about several columns of a row; no ``kept`` text: their values are unique together."""

    def build(batch: Batch, domain: dict[str, Any], values: dict[str, Any]) -> Question:
        columns = list(domain["column_list"])
        gone = [batch.missing(c) for c in columns]
        asked = {
            "all_values_are_missing": "true" if "false" in gone else f"NOT ({' AND '.join(gone)})",
            "any_value_is_missing": every(*map(batch.present, columns)),
            "never": "true",
        }.get(domain.get("ignore_row_if") or "all_values_are_missing")
        if asked is None:
            raise Unknown("GX refuses this")
        sql = kept(batch, columns, values)
        return Question(asked, sql, tuple(columns), () if sql else tuple(batch.value(c) for c in columns))

    return build


def _one_family(batch: Batch, columns: list[str]) -> None:
    families = {batch.family(c) for c in columns}
    if len(families) > 1 or "other" in families:
        raise Unknown("columns of different kinds")


def _sum_equals(batch: Batch, columns: list[str], values: dict[str, Any]) -> str:
    kinds = {batch.kind(c) for c in columns}
    if not kinds <= {"integer", "float"}:
        raise Unknown("a sum of other things than numbers")
    # Wide integers, because an overflow would be an error; floats from left to right, as pandas adds them.
    cast = "::HUGEINT" if kinds == {"integer"} else "::DOUBLE"
    total = " + ".join(f"{quote(c)}{cast}" for c in columns)
    wanted = literals.for_kind("integer" if kinds == {"integer"} else "float", values["sum_total"])
    return every(*map(batch.present, columns), f"({total}) = {wanted}")


def _all_equal(batch: Batch, columns: list[str], _: dict[str, Any]) -> str:
    _one_family(batch, columns)
    first, *others = (batch.value(c) for c in columns)
    return " AND ".join(f"(({first}) IS NOT DISTINCT FROM ({other}))" for other in others) or "true"


def _all_different(batch: Batch, columns: list[str], _: dict[str, Any]) -> str:
    _one_family(batch, columns)
    values = [batch.value(c) for c in columns]
    pairs = [f"(({a}) IS DISTINCT FROM ({b}))" for i, a in enumerate(values) for b in values[i + 1 :]]
    return " AND ".join(pairs) or "true"


def _unique_together(batch: Batch, columns: list[str], _: dict[str, Any]) -> str:
    if any(batch.family(c) == "other" for c in columns):
        raise Unknown("keys that don't compare")
    return ""


def _like(pattern: str, values: dict[str, Any], name: str) -> str:
    escape = f" ESCAPE {literal(values['escape'])}" if values.get("escape") else ""
    return f"({name} LIKE {literal(pattern)}{escape})"


def _like_pattern(batch: Batch, column: str, values: dict[str, Any]) -> str:
    return _like(values["like_pattern"], values, _text(batch, column))


def _not_like_pattern(batch: Batch, column: str, values: dict[str, Any]) -> str:
    return f"NOT {_like_pattern(batch, column, values)}"


def _like_pattern_list(batch: Batch, column: str, values: dict[str, Any]) -> str:
    word = " AND " if values.get("match_on") == "all" else " OR "
    parts = [_like(pattern, values, _text(batch, column)) for pattern in values["like_pattern_list"]]
    return f"({word.join(parts) or 'false'})"


def _not_like_pattern_list(batch: Batch, column: str, values: dict[str, Any]) -> str:
    return f"NOT {_like_pattern_list(batch, column, {**values, 'match_on': 'any'})}"


#: What is asked of rows, by GX's name for it.
QUESTIONS: dict[str, Builder] = {
    "column_values.nonnull": _present,
    "column_values.null": _absent,
    "column_values.unique": _unique,
    "column_values.in_set": _column(_in_set),
    "column_values.not_in_set": _column(_not_in_set),
    "column_values.between": _column(_between),
    "column_values.value_length.equals": _column(_length_equals),
    "column_values.value_length.between": _column(_length_between),
    "column_values.match_regex": _column(_match_regex),
    "column_values.not_match_regex": _column(_not_match_regex),
    "column_values.match_regex_list": _column(_match_regex_list),
    "column_values.not_match_regex_list": _column(_not_match_regex_list),
    "column_values.match_like_pattern": _column(_like_pattern),
    "column_values.not_match_like_pattern": _column(_not_like_pattern),
    "column_values.match_like_pattern_list": _column(_like_pattern_list),
    "column_values.not_match_like_pattern_list": _column(_not_like_pattern_list),
    "column_values.match_strftime_format": _column(parsed.strftime),
    "column_values.dateutil_parseable": _column(parsed.dateutil),
    "column_values.json_parseable": _column(parsed.json_text),
    "column_values.match_json_schema": _measured(parsed.json_schema),
    "column_values.increasing": _in_order(">"),
    "column_values.decreasing": _in_order("<"),
    "column_values.z_score.under_threshold": _measured(spread.z_score),
    "column_values.not_outliers": _measured(spread.not_outlier),
    "column_pair_values.a_greater_than_b": _pair(_greater),
    "column_pair_values.equal": _pair(_equal),
    "column_pair_values.in_set": _pair(_pair_in_set),
    "multicolumn_sum.equal": _several(_sum_equals),
    "multicolumn_values.equal": _several(_all_equal),
    "select_column_values.unique.within_record": _several(_all_different),
    "compound_columns.unique": _several(_unique_together),
}
