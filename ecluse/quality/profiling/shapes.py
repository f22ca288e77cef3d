"""How texts are written: their shapes, the formats they are recognised by, and a pattern that describes them."""

from __future__ import annotations

import re
from collections import Counter
from itertools import groupby

from ecluse.quality.profiling.draft import Draft, Table
from ecluse.quality.profiling.found import Format, Shape
from ecluse.quality.profiling.personal import looks_personal

#: Formats that texts are recognised by, the strictest first. Each is a pattern for the whole text, in what Python's
#: expressions and RE2 share.
FORMATS: dict[str, str] = {
    "uuid": "[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}",
    "iban": "[A-Z]{2}[0-9]{2}[0-9A-Z]{11,30}",
    "email": r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+",
    "url": r"https?://[^ \n]+",
    "ipv4": r"([0-9]{1,3}\.){3}[0-9]{1,3}",
    "iso_date": "[0-9]{4}-[0-9]{2}-[0-9]{2}",
    "iso_time": r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?(Z|[+-][0-9]{2}:?[0-9]{2})?",
    "phone": r"\+[0-9][0-9 .()-]{6,18}[0-9]",
    "integer": "-?[0-9]+",
    "number": r"-?[0-9]+([.][0-9]+)?",
}
#: What a text may be made of, the narrowest first; such a pattern says more the narrower it is.
_ALPHABETS: dict[str, str] = {
    "digits": "[0-9]",
    "hexadecimal": "[0-9a-f]",
    "capitals": "[A-Z]",
    "small": "[a-z]",
    "code": "[0-9A-Z]",
    "slug": "[0-9a-z_-]",
}
#: A format is told where this share of the texts looked at follows it.
_RECOGNISED = 0.9
#: Longer texts are free text, and have no shape.
_LONGEST = 40
#: So many ways of writing are told, and so many make a pattern at most.
_SHOWN, _ALTERNATIVES = 3, 4
#: A way of writing that is rarer isn't told: a single text could be guessed from it.
_LEAST = 0.01
_CLASSES = {"A": "[A-Z]", "a": "[a-z]", "9": "[0-9]"}

#: What stands for characters in a shape: in this order, since one letter is left by each.
_STANDS_FOR = ((r"\p{Lu}", "A"), (r"\p{Ll}|\p{Lt}|\p{Lm}|\p{Lo}|\p{M}", "a"), (r"\p{Nd}", "9"))


def write(table: Table) -> None:
    """See how the texts of each column are written, and whether they look like people's."""
    for column in table.each("looking", table.columns):
        if column.kind == "text":
            column.attempt("shapes", lambda column=column: _written(table, column))  # type: ignore[misc]
        form = column.found.get("format")
        classified = column.classification in ("personal", "sensitive")
        looks = column.classification is None and looks_personal(column.name, column.kind, form and form.name)
        column.withheld = classified or looks
        if column.withheld:
            column.heavy = []


def _written(table: Table, column: Draft) -> None:
    values = f"SELECT {column.value} AS v FROM {table.sample}"
    source = column.few or f"(SELECT v, count(*) AS n FROM ({values}) WHERE v IS NOT NULL GROUP BY v)"
    engine = table.batch.engine
    every = {**FORMATS, **_ALPHABETS}
    patterns = [f"regexp_full_match(v, '{text}')" for text in FORMATS.values()]
    patterns += [f"regexp_full_match(v, '{text}+')" for text in _ALPHABETS.values()]
    counts = ", ".join(f"coalesce(sum(n) FILTER (WHERE {pattern}), 0)::BIGINT" for pattern in patterns)
    whole = "coalesce(sum(n), 0)::BIGINT, coalesce(bool_and(NOT regexp_matches(v, '[^\\x00-\\x7F]')), true)"
    total, ascii_only, short, long, *found = engine.row(
        f"SELECT {whole}, min(length(v)), max(length(v)), {counts} FROM {source}"
    )
    column.found["looked_at"] = total
    if not total:
        return
    shares = {name: count / total for name, count in zip(every, found, strict=True)}
    followed = next((name for name in FORMATS if shares[name] >= _RECOGNISED), None)
    if followed:
        column.found["format"] = Format(followed, shares[followed])
    shapes: list[tuple[str, int]] = engine.rows(
        f"SELECT {_shape('v')} AS shape, sum(n)::BIGINT AS n FROM {source} "
        f"WHERE length(v) BETWEEN 1 AND {_LONGEST} GROUP BY shape ORDER BY n DESC, shape LIMIT 20000"
    )
    column.found["shapes"] = _told(shapes, total)
    column.found["pattern"] = (
        (f"^{FORMATS[followed]}$" if followed and shares[followed] == 1 else None)
        or (_pattern(shapes, total) if ascii_only else None)
        or _alphabet(shares, short, long)
    )


def _shape(sql: str) -> str:
    for characters, letter in _STANDS_FOR:
        sql = f"regexp_replace({sql}, '{characters}', '{letter}', 'g')"
    return sql


def _told(shapes: list[tuple[str, int]], total: int) -> tuple[Shape, ...]:
    """The most frequent ways of writing; where single ones say little, those with runs of any length."""
    exact = [Shape(text, n / total) for text, n in shapes[:_SHOWN]]
    if sum(shape.share for shape in exact) < _RECOGNISED:
        runs: Counter[str] = Counter()
        for text, n in shapes:
            runs[re.sub(r"(A|a|9)\1+", r"\1+", text)] += n
        exact = [Shape(text, n / total) for text, n in runs.most_common(_SHOWN)]
    return tuple(shape for shape in exact if shape.share >= _LEAST)


def _pattern(shapes: list[tuple[str, int]], total: int) -> str | None:
    """An expression for the few ways in which all texts are written; ``None`` where there are many."""
    if sum(n for _, n in shapes) < total:
        return None
    ways: dict[tuple[str, ...], list[list[int]]] = {}
    for text, _ in shapes:
        runs = [(character, len(list(same))) for character, same in groupby(text)]
        lengths = ways.setdefault(tuple(character for character, _ in runs), [[length, length] for _, length in runs])
        for known, (_, length) in zip(lengths, runs, strict=True):
            known[0], known[1] = min(known[0], length), max(known[1], length)
        if len(ways) > _ALTERNATIVES:
            return None
    written = ["".join(_run(c, *length) for c, length in zip(way, ways[way], strict=True)) for way in sorted(ways)]
    return f"^{written[0]}$" if len(written) == 1 else f"^({'|'.join(written)})$"


def _run(character: str, low: int, high: int) -> str:
    one = _CLASSES.get(character) or (f"\\{character}" if character in r".^$*+?{}[]\|()" else character)
    if (low, high) == (1, 1):
        return one
    # Lengths that differ will differ further.
    return f"{one}{{{low}}}" if low == high else f"{one}+"


def _alphabet(shares: dict[str, float], short: int, long: int) -> str | None:
    """An expression for texts that are all made of the same few characters."""
    for name, characters in _ALPHABETS.items():
        if shares[name] == 1:
            return f"^{characters}{{{short}}}$" if short == long else f"^{characters}+$"
    return None
