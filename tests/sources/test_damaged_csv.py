"""A corpus of damaged files: each is refused, or its damaged records are rejected and counted. None is read wrong."""

import pytest

from ecluse.errors import SourceError
from ecluse.model.step import Files
from ecluse.sources import collect

HEADER = b"flight,tail,delay,day\n"
GOOD = b"1,N1,2.5,2013-01-01\n"
LAST = b"9,N9,-1,2013-01-09\n"

REFUSED = {
    "nothing at all": (b"", "empty"),
    "only a header": (HEADER, "empty"),
    "only a header without a line end": (HEADER.rstrip(), "empty"),
    "a header and empty lines": (HEADER + b"\n\n", "empty"),
    "no header": (GOOD + LAST, "header"),
    "a preamble above the header": (b"Flights of January\n\n" + HEADER + GOOD, "header"),
    "a comment above the header": (b"# made by hand\n" + HEADER + GOOD, "header"),
    "an empty line above the header": (b"\n" + HEADER + GOOD, "header"),
    "a missing column": (b"flight,tail,delay\n1,N1,2\n", "header"),
    "an unknown column": (b"flight,tail,delay,day,gate\n1,N1,2,2013-01-01,B4\n", "header"),
    "a renamed column": (b"flight,tailnum,delay,day\n" + GOOD, "header"),
    "a column's name in capitals": (b"flight,TAIL,delay,day\n" + GOOD, "header"),
    "a repeated column": (b"flight,tail,tail,delay,day\n1,N1,N1,2,2013-01-01\n", "header"),
    "columns in another order": (b"tail,flight,delay,day\nN1,1,2,2013-01-01\n", "header"),
    "a space in the header": (b"flight, tail,delay,day\n" + GOOD, "header"),
    "semicolons for commas": (HEADER.replace(b",", b";") + GOOD.replace(b",", b";"), "other_delimiter"),
    "tabs for commas": (HEADER.replace(b",", b"\t") + GOOD.replace(b",", b"\t"), "other_delimiter"),
    "UTF-16": ((HEADER + GOOD).decode().encode("utf-16"), "header"),
    "two files glued together": (HEADER + GOOD + HEADER + LAST, "second_header"),
    "two tables of the same columns in another order": (
        HEADER + GOOD + b"tail,flight,delay,day\nN2,2,3,2013-01-02\n",
        "second_header",
    ),
    "two files glued with an empty line": (HEADER + GOOD + b"\n" + HEADER + LAST, "second_header"),
    "two files glued within a line": (HEADER + GOOD.rstrip() + HEADER, "nothing_left"),
    "a quote never closed": (HEADER + GOOD + b'2,"N2,2.5,2013-01-02\n' + LAST, "open_quote"),
    "a file cut off within quotes": (HEADER + GOOD + b'2,"N', "open_quote"),
    "a quote closed lines later": (HEADER + GOOD + b'2,"N2,1,2013-01-02\n3,"N3",1,2013-01-03\n' + LAST, "lost_quote"),
    "a header whose quote is never closed": (b'"flight,tail,delay,day\n' + GOOD, "open_quote"),
    "every record broken": (HEADER + b"x,N1,2,2013-01-01\ny,N1,2,2013-01-01\n", "nothing_left"),
    "old Mac line ends": ((HEADER + GOOD).replace(b"\n", b"\r"), "header"),
    "a zip that says it is CSV": (b"PK\x03\x04" + bytes(60), "header"),
    "a page in place of the file": (b"<html><body>404</body></html>\n", "header"),
}

REJECTED = {
    "a field too few": (b"2,N2,2.5\n", 1, "3 fields where 4"),
    "a field too many": (b"2,N2,2.5,2013-01-02,x\n", 1, "5 fields where 4"),
    "a comma that should be quoted": (b"2,N2,2,5,2013-01-02\n", 1, "5 fields where 4"),
    "a line cut in two": (b"2,N2\n,2.5,2013-01-02\n", 2, "fields where 4"),
    "an empty line": (b"\n", 1, "an empty line"),
    "a line of blanks": (b"   \n", 1, "1 fields where 4"),
    "a sum line at the foot": (b"Total,2\n", 1, "2 fields where 4"),
    "letters for a number": (b"abc,N2,2.5,2013-01-02\n", 1, "flight is not a BIGINT"),
    "a fraction for a whole number": (b"1.5,N2,2.5,2013-01-02\n", 1, "flight is not a BIGINT"),
    "a number with an exponent for a whole number": (b"1e3,N2,2.5,2013-01-02\n", 1, "flight is not a BIGINT"),
    "a number too large": (b"9223372036854775808,N2,2.5,2013-01-02\n", 1, "flight is not a BIGINT"),
    "a decimal comma in quotes": (b'2,N2,"2,5",2013-01-02\n', 1, "delay is not a DOUBLE"),
    "a number that overflows": (b"2,N2,1e999,2013-01-02\n", 1, "delay is not a DOUBLE"),
    "a hexadecimal number": (b"0x10,N2,2.5,2013-01-02\n", 1, "flight is not a BIGINT"),
    "a number with underscores": (b"1_000,N2,2.5,2013-01-02\n", 1, "flight is not a BIGINT"),
    "a day that doesn't exist": (b"2,N2,2.5,2013-02-30\n", 1, "day is not a DATE"),
    "a day as others write it": (b"2,N2,2.5,01/02/2013\n", 1, "day is not a DATE"),
    "a day with a time, which would be lost": (b"2,N2,2.5,2013-01-02 10:00:00\n", 1, "day is not a DATE"),
    "a word for a day": (b"2,N2,2.5,epoch\n", 1, "day is not a DATE"),
    "two columns swapped": (b"2,N2,2013-01-02,2.5\n", 1, "delay is not a DOUBLE; day is not a DATE"),
    "text after a closing quote": (b'2,"N2"x,2.5,2013-01-02\n', 1, "a quote inside"),
    "a quote inside a plain value": (b'2,5" pipe,2.5,2013-01-02\n', 1, "a quote inside"),
    "a quote escaped by a backslash": (b'2,"N\\"2",2.5,2013-01-02\n', 1, "a quote inside"),
    "two quotes inside a plain value": (b'2,N"2",2.5,2013-01-02\n', 1, "a quote inside"),
    "a NUL byte": (b"2,N\x002,2.5,2013-01-02\n", 1, "a NUL byte"),
    "a NUL byte beside a damaged quote": (b'2,N\x002,2.5,2013-01-02\n3,"N3"x,1,2013-01-03\n', 2, "a NUL byte"),
    "a letter in Latin-1": (b"2,N\xe9,2.5,2013-01-02\n", 1, "not of the file's encoding"),
    "half a letter": (b"2,N\xc3,2.5,2013-01-02\n", 1, "not of the file's encoding"),
    "a lone carriage return": (b"2,N\r2,2.5,2013-01-02\n", 1, "carriage return"),
    "a very long value": (b"2," + b"N" * 2_000_000 + b",2.5,2013-01-02\n", 1, "longer than a record"),
    "a second header of other columns": (b"flight,carrier,delay,gate\n", 1, "flight is not a BIGINT"),
}

HARMLESS = {
    "no line end after the last record": (HEADER + GOOD + LAST.rstrip(), 2),
    "Windows line ends": ((HEADER + GOOD + LAST).replace(b"\n", b"\r\n"), 2),
    "mixed line ends": (HEADER.replace(b"\n", b"\r\n") + GOOD + LAST.replace(b"\n", b"\r\n"), 2),
    "a byte order mark": (b"\xef\xbb\xbf" + HEADER + GOOD + LAST, 2),
    "empty lines at the end": (HEADER + GOOD + LAST + b"\n\r\n\n", 2),
    "quotes round everything": (
        b'"flight","tail","delay","day"\n"1","N1","2.5","2013-01-01"\n"9","N9","-1","2013-01-09"\n',
        2,
    ),
    "a line break inside quotes": (HEADER + b'1,"N\n1",2.5,2013-01-01\n' + LAST, 2),
    "a quote doubled inside quotes": (HEADER + b'1,"N""1",2.5,2013-01-01\n' + LAST, 2),
    "spaces round numbers": (HEADER + b" 1 ,N1, 2.5,2013-01-01\n" + LAST, 2),
    "a whole number that pandas wrote as a fraction": (HEADER + b"1.0,N1,2.5,2013-01-01\n" + LAST, 2),
}


@pytest.mark.parametrize(("content", "key"), REFUSED.values(), ids=REFUSED)
def test_a_file_that_is_not_what_it_should_be_is_refused(engine, flights, tmp_path, content, key):
    (tmp_path / "in.csv").write_bytes(content)
    with pytest.raises(SourceError) as raised:
        collect(engine, Files(tmp_path / "in.csv"), flights, tmp_path / "raw")
    assert raised.value.key == f"sources.{key}"
    assert "in.csv" in str(raised.value)
    assert len(str(raised.value).splitlines()) == 3


@pytest.mark.parametrize(("damage", "count", "reason"), REJECTED.values(), ids=REJECTED)
def test_a_damaged_record_is_rejected_with_its_line_and_the_others_are_read(
    engine, flights, tmp_path, damage, count, reason
):
    (tmp_path / "in.csv").write_bytes(HEADER + GOOD + damage + LAST)
    found = collect(engine, Files(tmp_path / "in.csv"), flights, tmp_path / "raw")
    origin = found.inputs[0].sha256[:12]
    assert [r[0] for r in engine.rows(found.sql)] == [1, 9]
    assert [r[-1] for r in engine.rows(found.sql)] == [f"{origin}:1", f"{origin}:{count + 2}"]
    assert found.rejected == count
    rejects = engine.rows(found.rejects_sql)
    assert [r[0] for r in rejects] == [f"{origin}:{n + 2}" for n in range(count)]
    assert "\n".join(r[1] for r in rejects) == damage.decode("utf-8", "backslashreplace").removesuffix("\n")
    assert rejects[0][2].startswith("line 3: ")
    assert reason in rejects[0][2]


@pytest.mark.parametrize(("content", "rows"), HARMLESS.values(), ids=HARMLESS)
def test_what_only_looks_unusual_is_read(engine, flights, tmp_path, content, rows):
    (tmp_path / "in.csv").write_bytes(content)
    found = collect(engine, Files(tmp_path / "in.csv"), flights, tmp_path / "raw")
    assert (found.rows, found.rejected) == (rows, 0)
    assert [(r[0], r[2]) for r in engine.rows(found.sql)] == [(1, 2.5), (9, -1.0)]
    assert found.rejects_sql is None


def test_the_corpus_is_large_enough():
    assert len(REFUSED) + len(REJECTED) >= 50


def test_the_header_error_names_each_difference(engine, flights, tmp_path):
    (tmp_path / "in.csv").write_text("flight,delay,delay,gate\n1,2,2,B\n")
    with pytest.raises(SourceError) as raised:
        collect(engine, Files(tmp_path / "in.csv"), flights, tmp_path / "raw")
    assert "missing 'tail', 'day'; unknown 'gate'; repeated 'delay'" in str(raised.value)
