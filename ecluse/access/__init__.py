"""Compiles what the charter grants into SQL that shows nothing else, and keeps the key of pseudonyms."""

from ecluse.access.grants import Granted, compile_grant
from ecluse.access.pseudonyms import load_pseudonym_key, new_pseudonym_key, pseudonym

__all__ = ["Granted", "compile_grant", "load_pseudonym_key", "new_pseudonym_key", "pseudonym"]
