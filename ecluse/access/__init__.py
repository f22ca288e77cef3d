"""Compiles what the charter grants into SQL that shows nothing else, and keeps the key of pseudonyms."""

from ecluse.access.filters import confirm_filter
from ecluse.access.grants import Granted, compile_grant
from ecluse.access.hidden import Hidden
from ecluse.access.pseudonyms import load_pseudonym_key, new_pseudonym_key, pseudonym

__all__ = [
    "Granted",
    "Hidden",
    "compile_grant",
    "confirm_filter",
    "load_pseudonym_key",
    "new_pseudonym_key",
    "pseudonym",
]
