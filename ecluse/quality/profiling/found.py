"""What a profile says of data, as plain values: the terminal, the page, the suggestions and the log read them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ecluse import texts

#: The shares at which the values of a column are told.
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


@dataclass(frozen=True)
class Remark:
    """Something worth knowing before a column or a table is used; ``doubtful`` where it calls for a look."""

    key: str
    fields: Mapping[str, Any] = field(default_factory=dict)
    doubtful: bool = False

    def text(self, lang: str | None = None) -> str:
        """The remark in words."""
        shown = {k: v if isinstance(v, str) else texts.number(v, lang) for k, v in self.fields.items()}
        if "format" in shown:
            shown["format"] = texts.say(f"quality.formats.{shown['format']}", lang=lang)
        return texts.fill(f"quality.remarks.{self.key}", shown, lang)


@dataclass(frozen=True)
class Frequent:
    """A value and how many rows hold it."""

    value: Any
    count: int


@dataclass(frozen=True)
class Shape:
    """How texts are written: ``A`` a capital, ``a`` another letter, ``9`` a digit, ``+`` one or more of them.

    ``share`` of the texts that were looked at are written so.
    """

    text: str
    share: float


@dataclass(frozen=True)
class Format:
    """A format that texts are recognised by (``email``, ``uuid``), and the share of those looked at that follow it."""

    name: str
    share: float


@dataclass(frozen=True)
class ColumnProfile:
    """One column.

    ``present`` counts the rows that hold a value; NaN is none, as Great Expectations sees it. Where ``distinct_exact``
    is false the engine's sketch says how many there are, within some per cent. ``unique`` means that no value stands
    twice, and is only ever said for certain. ``shapes`` and ``format`` are about ``looked_at`` values.

    ``pattern`` is an expression that all of these follow. ``order`` says how values go from row to row.

    ``withheld``: the column is classified personal or sensitive, or looks so; then no value of it is told.
    ``uncomputed`` names what could not be measured, with the kind of error.
    """

    name: str
    type: str
    kind: str
    rows: int
    present: int | None = None
    classification: str | None = None
    withheld: bool = False
    nan: int | None = None
    infinite: int | None = None
    empty: int | None = None
    distinct: int | None = None
    distinct_exact: bool = False
    unique: bool = False
    minimum: Any = None
    maximum: Any = None
    mean: float | None = None
    deviation: float | None = None
    quantiles: tuple[tuple[float, Any], ...] = ()
    shortest: int | None = None
    longest: int | None = None
    looked_at: int = 0
    shapes: tuple[Shape, ...] = ()
    format: Format | None = None
    pattern: str | None = None
    frequent: tuple[Frequent, ...] = ()
    order: str | None = None
    uncomputed: Mapping[str, str] = field(default_factory=dict)
    remarks: tuple[Remark, ...] = ()

    @property
    def filled(self) -> bool:
        """Whether every row holds a value, and there is a row."""
        return bool(self.rows) and self.present == self.rows

    @property
    def share(self) -> float | None:
        """The share of rows that hold a value."""
        return None if self.present is None or not self.rows else self.present / self.rows

    @property
    def constant(self) -> bool:
        """Whether all values are one."""
        return self.distinct_exact and self.distinct == 1


@dataclass(frozen=True)
class Pair:
    """Two columns of which the first is never above the second, in the ``rows`` that hold both."""

    low: str
    high: str
    rows: int


@dataclass(frozen=True)
class TableProfile:
    """One table. ``keys`` are filled and unique, the narrowest first. ``duplicates`` counts rows that repeat another.

    ``looked_at`` rows were looked at first; what they didn't refute was then asked of all ``rows``. ``uncomputed``
    names what could not be measured, with the kind of error.
    """

    name: str
    rows: int
    columns: tuple[ColumnProfile, ...]
    keys: tuple[tuple[str, ...], ...] = ()
    pairs: tuple[Pair, ...] = ()
    duplicates: int | None = None
    duplicates_exact: bool = True
    looked_at: int = 0
    uncomputed: Mapping[str, str] = field(default_factory=dict)
    remarks: tuple[Remark, ...] = ()

    def column(self, name: str) -> ColumnProfile:
        """The column of that name; ``KeyError`` where there is none."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)


@dataclass(frozen=True)
class Reference:
    """A candidate foreign key: ``found`` of the ``distinct`` values of a column are values of another table's key."""

    table: str
    column: str
    to_table: str
    to_column: str
    distinct: int
    found: int

    @property
    def share(self) -> float:
        """The share of the different values that are found."""
        return self.found / self.distinct


@dataclass(frozen=True)
class Profile:
    """What was found in one table or several, and between them."""

    tables: tuple[TableProfile, ...]
    references: tuple[Reference, ...] = ()

    def table(self, name: str) -> TableProfile:
        """The table of that name; ``KeyError`` where there is none."""
        for table in self.tables:
            if table.name == name:
                return table
        raise KeyError(name)
