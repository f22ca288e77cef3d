"""Iceberg tables with candidates on branches and one commit point; the only package that imports pyiceberg."""

from ecluse.warehouse.candidate import Branch, Candidate
from ecluse.warehouse.publish import Prepared
from ecluse.warehouse.sweep import Orphan
from ecluse.warehouse.warehouse import Warehouse

__all__ = ["Branch", "Candidate", "Orphan", "Prepared", "Warehouse"]
