"""Sorted runs in files answer ranks and counts as all values in one sorted list do."""

import math
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecluse.engine import Engine
from ecluse.quality import order, runs
from ecluse.quality.order import Form, Order
from ecluse.quality.states import NoState, States

KINDS = {
    "TINYINT": st.integers(-128, 127),
    "UBIGINT": st.one_of(st.integers(0, 2**64 - 1), st.integers(0, 3)),
    "FLOAT": st.floats(allow_nan=False, width=32),
    "DOUBLE": st.one_of(st.floats(allow_nan=False), st.sampled_from([0.0, -0.0, 1.0, math.inf, -math.inf])),
    "DECIMAL(18,3)": st.decimals(-(10**14), 10**14, places=3),
    "DECIMAL(4,4)": st.decimals(Decimal("-0.9999"), Decimal("0.9999"), places=4),
}
FILES = st.sampled_from(sorted(KINDS)).flatmap(
    lambda kind: st.tuples(st.just(kind), st.lists(st.lists(KINDS[kind], max_size=30), max_size=4))
)


@pytest.fixture(scope="module")
def engine():
    with Engine() as found:
        yield found


@pytest.fixture(scope="module", autouse=True)
def _short(tmp_path_factory):
    """Runs and blocks that a few values fill."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(order, "RUN", 8)
        patch.setattr(runs, "BLOCK", 3)
        yield


def kept(engine, folder, kind, values, name="file"):
    states, form = States(folder, "c"), Form.of(kind)
    arrow = pa.from_numpy_dtype(form.kind) if form.scale is None else pa.decimal128(18, form.scale)
    table = pa.table({"v": pa.array(values, arrow)})
    # In pieces, as the engine streams large files.
    parts = [table.slice(start, 5) for start in range(0, len(values), 5)]
    with engine.registered(pa.concat_tables(parts) if parts else table) as view:
        states.write_runs(name, form.sorted_runs(engine, f"(SELECT v::{kind} AS v FROM {view})"))
    return states.read_runs(name, form.kind)


@given(files=FILES)
def test_ranks_and_counts_are_those_of_one_sorted_list(engine, tmp_path_factory, files):
    kind, lists = files
    folder = tmp_path_factory.mktemp("runs")
    found = [run for n, values in enumerate(lists) for run in kept(engine, folder, kind, values, f"{n}")]
    every = sorted(value for values in lists for value in values)
    told = Order(found, Form.of(kind))
    assert told.count == len(every)
    assert list(told.at(range(len(every))).values()) == every
    assert {type(value) for value in told.at(range(len(every))).values()} == set(map(type, every))
    scale = Form.of(kind).scale or 0
    for bound in every:
        number = int(bound.scaleb(scale)) if isinstance(bound, Decimal) else bound
        assert told.leading(lambda numbers, number=number: numbers < number) == sum(v < bound for v in every)
        assert told.leading(lambda numbers, number=number: numbers <= number) == sum(v <= bound for v in every)


def test_a_damaged_block_is_noticed_when_it_is_asked_and_made_again(engine, tmp_path):
    values = list(range(100))
    kept(engine, tmp_path, "BIGINT", values)
    (path,) = tmp_path.iterdir()
    content = bytearray(path.read_bytes())
    content[40] ^= 1
    path.write_bytes(content)
    told = Order(States(tmp_path, "c").read_runs("file", np.dtype("<i8")), Form.of("BIGINT"))
    assert told.at([99]) == {99: 99}
    with pytest.raises(NoState):
        told.at([4, 5])
    assert States(tmp_path, "c").read_runs("file", np.dtype("<i8")) is None


@pytest.mark.parametrize("damage", [lambda c: b"", lambda c: c[:-1], lambda c: c[:10], lambda c: c[:-60] + c[-50:]])
def test_a_file_that_was_cut_is_no_run(engine, tmp_path, damage):
    kept(engine, tmp_path, "BIGINT", list(range(100)))
    (path,) = tmp_path.iterdir()
    path.write_bytes(damage(path.read_bytes()))
    assert States(tmp_path, "c").read_runs("file", np.dtype("<i8")) is None


def test_runs_of_other_versions_and_under_other_names_are_no_runs(engine, tmp_path):
    kept(engine, tmp_path, "BIGINT", [1, 2], "one")
    assert States(tmp_path, "d").read_runs("one", np.dtype("<i8")) is None
    (path,) = tmp_path.iterdir()
    kept(engine, tmp_path, "BIGINT", [3, 4], "two")
    (other,) = set(tmp_path.iterdir()) - {path}
    other.write_bytes(path.read_bytes())
    assert States(tmp_path, "c").read_runs("two", np.dtype("<i8")) is None


def test_what_fails_while_it_is_read_leaves_no_file(engine, tmp_path):
    def broken():
        yield np.array([1, 2])
        raise RuntimeError("stopped")

    with pytest.raises(RuntimeError):
        States(tmp_path, "c").write_runs("file", broken())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", ["HUGEINT", "DECIMAL(19,2)", "VARCHAR", "DATE", "BOOLEAN"])
def test_what_is_wider_than_64_bits_or_no_number_has_no_form(kind):
    with pytest.raises(NoState):
        Form.of(kind)
