"""Collects a query's rows from a database into a kept file, so that everything after reads bytes with a hash."""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import os
import uuid
from collections.abc import Iterator
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, create_engine, make_url, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError

from ecluse.errors import SourceError
from ecluse.model.contract import Contract
from ecluse.model.step import DatabaseQuery
from ecluse.sources.keep import settle, writing
from ecluse.sources.names import compare
from ecluse.sources.result import RawInput

_BATCH = 10_000


def keep_query(source: DatabaseQuery, contract: Contract, raw: Path) -> RawInput:
    """Run the query in a transaction that is rolled back, and keep its rows as NDJSON under ``raw/<sha256>``.

    Rows are fetched in batches and never stand in memory together. Raises ``SourceError`` for a database that can't
    be reached or asked, a query without rows to give, other columns than promised, and a value JSON can't state.
    """
    url = _url(source)
    shown = source.origin or f"{url.render_as_string(hide_password=True)}"
    incoming = raw / f".incoming-{uuid.uuid4().hex}"
    try:
        with _asked(url, source.query, contract, shown) as lines, writing(raw):
            raw.mkdir(parents=True, exist_ok=True)
            digest, size = hashlib.sha256(), 0
            with incoming.open("xb") as file:
                for chunk in lines:
                    digest.update(chunk)
                    size += len(chunk)
                    file.write(chunk)
                file.flush()
                os.fsync(file.fileno())
        return RawInput(shown, digest.hexdigest(), size, settle(incoming, raw, digest.hexdigest()))
    finally:
        with contextlib.suppress(OSError):
            incoming.unlink(missing_ok=True)


def _url(source: DatabaseQuery) -> URL:
    given = source.url
    if given.startswith("env:"):
        name = given.removeprefix("env:")
        if name not in os.environ:
            raise SourceError("sources.secret", name=name)
        given = os.environ[name]
    try:
        url = make_url(given)
    except SQLAlchemyError as error:
        # NOTE: the text isn't shown, because a URL that can't be read may still hold a password.
        raise SourceError("sources.url") from error
    file = url.database
    if url.get_backend_name() == "sqlite" and file not in (None, "", ":memory:") and not Path(str(file)).is_file():
        # SQLite would create it, and give an empty answer.
        raise SourceError("sources.missing_file", path=file)
    return url


@contextlib.contextmanager
def _asked(url: URL, query: str, contract: Contract, shown: str) -> Iterator[Iterator[bytes]]:
    try:
        engine = create_engine(url)
        try:
            with engine.connect() as connection:
                yield _lines(connection, query, contract, shown)
                connection.rollback()
        finally:
            engine.dispose()
    except SQLAlchemyError as error:
        raise SourceError("sources.database", url=shown, error=_first_line(error)) from error
    except ImportError as error:
        raise SourceError("sources.driver", driver=url.drivername, error=error) from error


def _lines(connection: Connection, query: str, contract: Contract, shown: str) -> Iterator[bytes]:
    result = connection.execution_options(stream_results=True, yield_per=_BATCH).execute(text(query))
    if not result.returns_rows:
        raise SourceError("sources.no_select", url=shown)
    names = list(result.keys())
    compare(names, contract, shown, ordered=False)
    for rows in result.partitions(_BATCH):
        lines = [
            json.dumps({n: _plain(v, n, shown) for n, v in zip(names, row, strict=True)}, ensure_ascii=False)
            for row in rows
        ]
        yield ("\n".join(lines) + "\n").encode("utf-8", "surrogatepass")


def _plain(value: Any, column: str, shown: str) -> Any:
    match value:
        case None | bool() | int() | str() | list() | dict():
            return value
        case float():
            return value if math.isfinite(value) else str(value)
        case Decimal():
            return f"{value:f}"
        case datetime():
            return value.isoformat(" ")
        case date() | time() | uuid.UUID():
            return str(value)
        case bytes() | memoryview():
            return "".join(f"\\x{byte:02X}" for byte in bytes(value))
    raise SourceError("sources.value", url=shown, column=column, type=type(value).__name__)


def _first_line(error: Exception) -> str:
    return str(getattr(error, "orig", None) or error).splitlines()[0]
