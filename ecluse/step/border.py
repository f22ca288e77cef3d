"""Maps what DuckDB says about the user's SQL to an error of ours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ecluse.engine import EngineError, said
from ecluse.errors import NotComputed


@contextmanager
def computing(key: str, **fields: object) -> Iterator[None]:
    """Turn an error of DuckDB into ``NotComputed`` with the text of ``key``, which quotes no value of the data."""
    try:
        yield
    except EngineError as error:
        raise NotComputed(key, **fields, error=said(error)) from error
