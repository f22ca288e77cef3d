"""What DuckDB says about a failed statement, without the values of data that it may quote."""

from __future__ import annotations

import re

import duckdb

#: Errors that are about the text of a statement, before any row is read.
_ABOUT_CODE = (duckdb.BinderException, duckdb.CatalogException, duckdb.ParserException, duckdb.SyntaxException)
#: Errors that say which conversion failed, around the value that they quote.
_ABOUT_VALUES = (duckdb.ConversionException, duckdb.OutOfRangeException)
# NOTE: from the first quote to the last: a value may hold quotes itself.
_VALUES = re.compile(r"""['"].*['"]|(?<![A-Za-z_\d])-?\d[\d.,:eE+-]*""")


def said(error: Exception) -> str:
    """The first line of a DuckDB error, fit for a log or a report: no value of the data is in it.

    >>> said(duckdb.ConversionException("Conversion Error: Could not convert string 'Ann O'Neil' to DOUBLE"))
    "Conversion Error: Could not convert string '…' to DOUBLE"
    """
    first = next(iter(str(error).splitlines()), "")
    if isinstance(error, _ABOUT_CODE):
        return first
    return _VALUES.sub("'…'", first) if isinstance(error, _ABOUT_VALUES) else type(error).__name__
