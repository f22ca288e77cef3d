"""How a column is made coarser for those who may not see it clearly: a rule of the contract, in one short text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

Kind = Literal["time", "band", "first"]

_TIMES = ("hour", "day", "month", "quarter", "year", "decade")
_RULE = re.compile(r"(?P<kind>band|first) (?P<size>\d+(?:\.\d+)?)")
#: The first word of the DuckDB types that each kind of rule is for.
_TYPES = {
    "time": ("DATE", "TIMESTAMP", "TIMESTAMPTZ", "DATETIME"),
    "band": (
        *("TINYINT", "SMALLINT", "INTEGER", "INT", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT"),
        *("DECIMAL", "NUMERIC", "FLOAT", "REAL", "DOUBLE"),
    ),
    "first": ("VARCHAR", "TEXT", "STRING"),
}


@dataclass(frozen=True)
class Generalisation:
    """A rule that was understood: the unit of a time, the width of a band of numbers, or how many characters stay."""

    kind: Kind
    unit: str = ""
    size: Decimal = Decimal(0)

    @classmethod
    def of(cls, rule: str, type_: str) -> Generalisation:
        """The rule for a column of a type; ``ValueError`` where it is none, or not one for that type.

        >>> Generalisation.of("band 10", "INTEGER")
        Generalisation(kind='band', unit='', size=Decimal('10'))
        """
        found = _RULE.fullmatch(rule)
        if rule in _TIMES:
            made = cls("time", unit=rule)
        elif found and Decimal(found["size"]) > 0 and (found["kind"] == "band" or "." not in found["size"]):
            made = cls("band" if found["kind"] == "band" else "first", size=Decimal(found["size"]))
        else:
            raise ValueError(
                f"{rule!r} is no way to generalise a column; allowed are {', '.join(_TIMES)} (times), "
                "'band 10' (numbers, by the lower end of their band), 'first 2' (texts, for example a postcode)"
            )
        if re.split(r"[ (]", type_.upper())[0] not in _TYPES[made.kind]:
            raise ValueError(f"{rule!r} generalises {' or '.join(_TYPES[made.kind][:2])}, and not {type_}")
        return made
