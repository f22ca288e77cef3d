"""Runs and describes SQL on DuckDB; the only package that imports duckdb."""

from duckdb import Error as EngineError

from ecluse.engine.generalise import generalised_sql
from ecluse.engine.said import said
from ecluse.engine.session import FILE_BYTES, Engine, relation_of
from ecluse.engine.sql import literal, quote
from ecluse.engine.watch import Cancelled, Watch

__all__ = [
    "FILE_BYTES",
    "Cancelled",
    "Engine",
    "EngineError",
    "Watch",
    "generalised_sql",
    "literal",
    "quote",
    "relation_of",
    "said",
]
