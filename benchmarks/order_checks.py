"""What is asked of the orders of ``benchmarks.orders``, as plain data: each tool is asked the same in its own words.

It imports nothing, because the other tools live in environments of their own. A check is its kind, the column (or two)
and what the kind needs; ``least`` is the share of rows that must keep it.
"""

from __future__ import annotations

from typing import Any, NamedTuple

COUNTRIES = ["CH", "DE", "FR", "IT", "AT", "ES", "GB", "NL", "BE", "PT"]
STATUSES = ["open", "paid", "sent", "done", "back"]


class Check(NamedTuple):
    """One check."""

    kind: str
    column: str
    given: Any = None
    least: float = 1.0


#: Twenty; some of them are broken by a few rows, so that samples of failing rows are paid for too.
TWENTY = [
    Check("rows", ""),
    Check("present", "id"),
    Check("present", "amount", least=0.95),
    Check("present", "ordered_at"),
    Check("unique", "id"),
    Check("between", "customer", (0, 3_000_000)),
    Check("between", "amount", (0, 999)),
    Check("between", "quantity", (1, 12)),
    Check("between", "price", (5, 1005)),
    Check("between", "day_of_year", (0, 365)),
    Check("in", "country", COUNTRIES),
    Check("in", "status", STATUSES[:-1], least=0.7),
    Check("matches", "email", r"^[a-z0-9.]+@[a-z0-9]+\.example$"),
    Check("matches", "token", r"^[0-9a-f]{12}$"),
    Check("length", "token", (12, 12)),
    Check("later", "shipped_at", "ordered_at"),
    Check("mean", "discount", (0.4, 0.6)),
    Check("median", "price", (400, 600)),
    Check("z", "score", 6),
    Check("different", "country", len(COUNTRIES)),
]
#: Twenty more.
FORTY = [
    *TWENTY,
    *(Check("present", name) for name in ("customer", "quantity", "price", "email", "token", "country", "status")),
    Check("present", "shipped_at", least=0.9),
    Check("between", "discount", (0, 1)),
    Check("between", "score", (-6, 6)),
    Check("length", "email", (10, 40)),
    Check("not in", "status", ["lost", "void"]),
    Check("in", "quantity", list(range(1, 13))),
    Check("min", "price", (5, 6)),
    Check("max", "quantity", (12, 12)),
    Check("sum", "quantity", (0, 10**9)),
    Check("deviation", "score", (0.9, 1.1)),
    Check("mean", "amount", (400, 600)),
    Check("different", "day_of_year", 366),
    Check("unique together", "customer", "ordered_at"),
]
#: What needs neither a regular expression nor a grouping (a uniqueness, a median, a count of different values).
PLAIN = [c for c in FORTY if c.kind not in ("matches", "unique", "unique together", "median", "different")]

SUITES = {"20": TWENTY, "40": FORTY, "plain": PLAIN}
