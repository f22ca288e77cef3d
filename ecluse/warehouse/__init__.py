"""Iceberg tables with candidates on branches and one commit point; the only package that imports pyiceberg."""

from ecluse.warehouse.candidate import Branch, Candidate, Change
from ecluse.warehouse.draft import HANDED_ON
from ecluse.warehouse.objects import ObjectStore, open_store
from ecluse.warehouse.publish import Prepared
from ecluse.warehouse.schema import widens
from ecluse.warehouse.sweep import Orphan
from ecluse.warehouse.warehouse import Warehouse

__all__ = [
    "HANDED_ON",
    "Branch",
    "Candidate",
    "Change",
    "ObjectStore",
    "Orphan",
    "Prepared",
    "Warehouse",
    "open_store",
    "widens",
]
