"""Small tables of every kind of value, for properties that hold of all data."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pyarrow as pa
from hypothesis import strategies as st

TEXTS = st.one_of(
    st.text(max_size=6),
    st.sampled_from(
        ["", "NA", "AB123", "CD456", "2024-01-02", "ada@mail.example", "naïve", "it's", "{x}", "7", "été", '"']
    ),
)
DAYS = st.dates(dt.date(1900, 1, 1), dt.date(2200, 1, 1))
TIMES = st.datetimes(dt.datetime(1900, 1, 1), dt.datetime(2200, 1, 1))  # noqa: DTZ001 - a column without a zone
#: Arrow types, and what may stand in a column of each.
KINDS = [
    (pa.int64(), st.one_of(st.integers(-5, 5), st.integers(-(2**63), 2**63 - 1))),
    (pa.int8(), st.integers(-128, 127)),
    (pa.uint64(), st.integers(0, 2**64 - 1)),
    (pa.float64(), st.one_of(st.floats(width=64), st.sampled_from([0.0, 1.5, float("nan"), float("inf")]))),
    (pa.float32(), st.floats(width=32)),
    (pa.string(), TEXTS),
    (pa.bool_(), st.booleans()),
    (pa.date32(), DAYS),
    (pa.timestamp("us"), TIMES),
    (pa.timestamp("us", "UTC"), TIMES.map(lambda t: t.replace(tzinfo=dt.UTC))),
    (pa.decimal128(9, 2), st.integers(-(10**8), 10**8).map(lambda n: Decimal(n) / 100)),
]
NAMES = ["id", "v", "name", "amount", "it's", 'say "hi"', "Größe", "b b", "_own"]


@st.composite
def tables(draw: st.DrawFn, most: int = 30) -> pa.Table:
    """A table of up to four columns; values repeat often, so that keys, sets and constants occur."""
    rows = draw(st.integers(0, most))
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=4, unique=True))
    columns = {}
    for name in names:
        type_, values = draw(st.sampled_from(KINDS))
        few = draw(st.lists(values, min_size=1, max_size=4))
        cells = st.one_of(st.sampled_from(few), values)
        if draw(st.booleans()):
            cells = st.one_of(cells, st.none())
        if draw(st.booleans()):
            cells = st.sampled_from(few)
        columns[name] = pa.array(draw(st.lists(cells, min_size=rows, max_size=rows)), type_)
    return pa.table(columns)
