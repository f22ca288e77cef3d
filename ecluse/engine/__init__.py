"""Runs and describes SQL on DuckDB; the only package that imports duckdb."""

from duckdb import Error as EngineError

from ecluse.engine.said import said
from ecluse.engine.session import Engine, relation_of
from ecluse.engine.sql import literal, quote

__all__ = ["Engine", "EngineError", "literal", "quote", "relation_of", "said"]
