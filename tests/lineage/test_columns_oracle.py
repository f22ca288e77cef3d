"""Truth without hand-written answers: change one input column, and see which output columns move.

Whatever moves must name that input column, as its own source or as one that decides about rows. What names an input
column that never moves it in any trial is not proven wrong, so it's only counted.
"""

from __future__ import annotations

import random
from itertools import product

import pytest

from ecluse.engine import Engine, literal, quote
from ecluse.lineage import columns_of

SEEDS = (1, 2)
ROWS = 25


def _value(kind: str, rng: random.Random) -> str:
    word = rng.choice(["ok", "bad", "EU", "x"])
    match kind:
        case "BIGINT":
            return str(rng.randint(1, 12))
        case "DOUBLE":
            return str(round(rng.uniform(-5, 50), 1))
        case "VARCHAR":
            return literal(rng.choice([word, word, word, None]))
        case "TIMESTAMP":
            return f"TIMESTAMP '2026-01-{rng.randint(1, 28):02d} 0{rng.randint(0, 9)}:00:00'"
        case "VARCHAR[]":
            return literal([rng.choice("xyzw") * rng.randint(1, 20) for _ in range(rng.randint(1, 3))])
        case "STRUCT(sku VARCHAR, qty INTEGER)[]":
            items = [
                f"{{'sku': '{rng.choice('abcdef')}', 'qty': {rng.randint(1, 5)}}}" for _ in range(rng.randint(1, 2))
            ]
            return f"[{', '.join(items)}]"
        case "STRUCT(a INTEGER, b STRUCT(c VARCHAR))":
            return f"{{'a': {rng.randint(1, 9)}, 'b': {{'c': '{word}'}}}}"
        case "MAP(VARCHAR, INTEGER)":
            return f"MAP {{'{word}': {rng.randint(1, 99)}}}"
    raise AssertionError(kind)


def _column(table: str, column: str, kind: str, seed: str) -> list[str]:
    """A column's values: those of a seed don't depend on the other columns, so that one can change alone."""
    rng = random.Random(f"{seed}/{table}/{column}")
    values = [_value(kind, rng) for _ in range(ROWS)]
    if (table, column) == ("emp", "mgr"):
        values[:5] = ["NULL"] * 5
    if (table, column) == ("emp", "id"):
        # Unique, so that the recursive statements end.
        values = [str(i + (1 if "changed" not in seed else 4)) for i in range(ROWS)]
    return values


def _fill(engine: Engine, table: str, columns: dict[str, str], seed: int, changed: str | None) -> None:
    drawn = [
        _column(table, name, kind, f"{seed} changed" if name == changed else str(seed))
        for name, kind in columns.items()
    ]
    rows = ", ".join(f"({', '.join(row)})" for row in zip(*drawn, strict=True))
    engine.run(f"DELETE FROM {quote(table)}")
    engine.run(f"INSERT INTO {quote(table)} VALUES {rows}")


def _multisets(engine: Engine, sql: str, names: list[str]) -> dict[str, list[str]]:
    rows = engine.rows(sql)
    return {name: sorted(_text(row[i]) for row in rows) for i, name in enumerate(names)}


def _text(value: object) -> str:
    # The order in which floating-point numbers are added moves their last digits.
    return repr(round(value, 6) if isinstance(value, float) else value)


@pytest.fixture(scope="module")
def moved(cases, tables):
    """Statement → {(output column, table, input column)} that were seen to move together."""
    judged = [c for c in cases if c.repeatable and not c.error]
    seen = {case.name: set() for case in judged}
    with Engine(threads=1) as engine:
        for table, columns in tables.items():
            listed = ", ".join(f"{quote(name)} {kind}" for name, kind in columns.items())
            engine.run(f"CREATE TABLE {quote(table)} ({listed})")
        for seed in SEEDS:
            for table, columns in tables.items():
                _fill(engine, table, columns, seed, None)
            before = {c.name: _multisets(engine, c.sql, list(c.fields)) for c in judged}
            for table, column in ((t, c) for t in tables for c in tables[t]):
                _fill(engine, table, tables[table], seed, column)
                for case in (c for c in judged if table in c.sql):
                    after = _multisets(engine, case.sql, list(case.fields))
                    seen[case.name] |= {(n, table, column) for n in after if after[n] != before[case.name][n]}
                _fill(engine, table, tables[table], seed, None)
    return seen


def test_whatever_moves_names_the_column_that_moved_it(case, tables, moved):
    if case.name not in moved:
        assert case.error or not case.repeatable
        return
    found = columns_of(case.sql, {name: (name, columns) for name, columns in tables.items()})
    rows = {(e.dataset, e.column) for e in found.dataset}
    named = {(name, e.dataset, e.column) for name, edges in found.fields.items() for e in edges}
    named |= {(name, *one) for name, one in product(found.fields, rows)}
    assert moved[case.name] - named == set()


def test_nearly_every_edge_is_seen_to_move_something(cases, moved):
    edges = {
        (case.name, name, table, column)
        for case in cases
        if case.name in moved
        for name, influences in case.fields.items()
        for table, column, _, _ in influences
    }
    seen = {(statement, *one) for statement, found in moved.items() for one in found}
    assert len(edges & seen) / len(edges) > 0.9, sorted(edges - seen)
