"""The project's SQL database: one engine, one transaction for everything that is committed together."""

from ecluse.store.alone import alone
from ecluse.store.database import Database
from ecluse.store.migrate import Upgrade, planned, upgrade

__all__ = ["Database", "Upgrade", "alone", "planned", "upgrade"]
