"""Whatever a correct CSV writer writes is read as it was."""

import csv
import io
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecluse.engine import Engine
from ecluse.errors import SourceError
from ecluse.model.contract import Column, Contract
from ecluse.model.step import Files
from ecluse.sources import collect
from ecluse.sources.records import _by_array, _by_record, records

# NOTE: Python's own writer leaves a lone carriage return without quotes, which no reader can tell from a line end.
NAMES = ("a", "b", "c")
CELL = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r"), max_size=8) | st.sampled_from(
    ['"', '""', "\n", "\r\n", ",", ";", " ", "a", "NA"]
)
ROWS = st.lists(st.lists(CELL, min_size=3, max_size=3), min_size=1, max_size=12).filter(
    lambda rows: all(sorted(r) != [*NAMES] for r in rows)
)
TEXTS = Contract(columns=tuple(Column(n, "VARCHAR") for n in NAMES), owner="tests", licence="CC0-1.0")


@settings(max_examples=40, deadline=None)
@given(
    rows=ROWS,
    delimiter=st.sampled_from(",;\t|"),
    end=st.sampled_from(["\n", "\r\n"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
)
def test_rows_come_back(rows, delimiter, end, quoting):
    written = io.StringIO()
    writer = csv.writer(written, delimiter=delimiter, lineterminator=end, quoting=quoting)
    writer.writerows([NAMES, *rows])
    with tempfile.TemporaryDirectory() as folder, Engine(threads=1) as engine:
        path = Path(folder, "in.csv")
        path.write_bytes(written.getvalue().encode())
        found = collect(engine, Files(path, delimiter=delimiter, null=()), TEXTS, Path(folder, "raw"))
        assert found.rejected == 0
        assert [list(row[:-1]) for row in engine.rows(found.sql)] == rows
        assert [row[-1] for row in engine.rows(found.sql)] == [
            f"{found.inputs[0].sha256[:12]}:{n}" for n in range(1, len(rows) + 1)
        ]
        found.close()


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.sampled_from([b"a", b'"', b'""', b",", b"\n", b"\r\n", b"\r", b"\0", "é".encode(), b'"x\ny"']), max_size=25
    ).map(b"".join)
)
def test_both_ways_to_cut_agree_or_the_fast_one_steps_back(data):
    buffer = data if data.endswith(b"\n") or not data else data + b"\n"
    fast = _by_array(buffer, ord(","), final=True)
    if fast is None:
        return
    slow = _by_record(buffer, ord(","), "a file", 1, final=True)
    for name in ("starts", "stops", "nexts", "fields"):
        assert np.array_equal(getattr(fast, name), getattr(slow, name)), name
    assert fast.faults == slow.faults


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.sampled_from([b"1", b"x", b'"', b",", b",", b"\n", b"\n", b"\r\n", b"\xff", b"\0", b'"x"']), max_size=40
    ).map(b"".join)
)
def test_any_bytes_are_refused_or_every_record_is_accounted_for(data):
    columns = (Column("n", "BIGINT"), Column("t", "VARCHAR"))
    with tempfile.TemporaryDirectory() as folder, Engine(threads=1) as engine:
        path = Path(folder, "in.csv")
        path.write_bytes(b"n,t\n" + data)
        try:
            found = collect(
                engine, Files(path), Contract(columns=columns, owner="t", licence="CC0-1.0"), Path(folder, "raw")
            )
        except SourceError as error:
            if error.key in {"sources.empty", "sources.open_quote", "sources.lost_quote", "sources.nothing_left"}:
                return
            raise
        numbers = [int(o.split(":")[1]) for (o,) in engine.rows(f"SELECT _origin FROM ({found.sql})")]
        rejected = (
            [int(o.split(":")[1]) for (o,) in engine.rows(f"SELECT _origin FROM ({found.rejects_sql})")]
            if found.rejects_sql
            else []
        )
        assert sorted(numbers + rejected) == list(range(1, len(numbers) + len(rejected) + 1))
        assert (found.rows, found.rejected) == (len(numbers), len(rejected))
        found.close()


@pytest.mark.parametrize("size", [7, 64, 1000])
def test_records_are_the_same_however_the_file_is_cut_into_chunks(tmp_path, monkeypatch, size):
    lines = [f'{i},"a ""{i}""\n{i}",x' if i % 3 else f"{i},b,x" for i in range(200)]
    (tmp_path / "in.csv").write_bytes("\r\n".join(["n,t,u", *lines]).encode() + b"\n\n\n")
    whole = [run.text(i) for run in records(tmp_path / "in.csv", ",", "in.csv", width=3) for i in range(len(run))]
    monkeypatch.setattr("ecluse.sources.records.CHUNK", size)
    runs = list(records(tmp_path / "in.csv", ",", "in.csv", width=3))
    assert (
        [run.text(i) for run in runs for i in range(len(run))]
        == whole
        == [b"n,t,u", *(line.encode() for line in lines)]
    )
    assert [run.first + i for run in runs for i in range(len(run))] == list(range(201))
    assert [run.line_of(i) for run in runs for i in range(len(run))][:6] == [1, 2, 3, 5, 7, 8]
    assert not any(run.faults for run in runs)
