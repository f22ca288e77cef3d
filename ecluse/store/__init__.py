"""The project's SQL database: one engine, one transaction for everything that is committed together."""

from ecluse.store.database import Database

__all__ = ["Database"]
