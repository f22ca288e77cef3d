"""Pseudonyms: HMAC-SHA256 of a value under the project's own key, computed inside DuckDB.

Each purpose has a key of its own, derived from the project's: the same person has one pseudonym throughout a purpose,
so that tables can be joined, and another one for every other purpose, so that purposes can't be joined.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from ecluse.engine import quote
from ecluse.errors import DefinitionError

if TYPE_CHECKING:
    from ecluse.project import Project

_FILE = "pseudonym.key"
_BYTES = 32
_BLOCK = 64
_INNER, _OUTER = "ecluse_inner", "ecluse_outer"


def load_pseudonym_key(project: Project) -> bytes:
    """The project's key of pseudonyms, 32 bytes; the demo profile makes one on first use.

    ``DefinitionError`` where there is none, where it is malformed, or where others can read it.
    """
    path = project.keys / _FILE
    if project.makes_keys and not path.exists():
        new_pseudonym_key(project.keys)
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        text = path.read_text("ascii").strip()
    except FileNotFoundError as error:
        raise DefinitionError("access.no_key", path=path, folder=project.keys) from error
    except (OSError, UnicodeDecodeError) as error:
        raise DefinitionError("access.damaged_key", path=path) from error
    if mode & 0o077:
        raise DefinitionError("access.open_key", path=path)
    try:
        key = bytes.fromhex(text)
    except ValueError as error:
        raise DefinitionError("access.damaged_key", path=path) from error
    if len(key) != _BYTES:
        raise DefinitionError("access.damaged_key", path=path)
    return key


def new_pseudonym_key(folder: Path) -> Path:
    """Write a new random key into ``folder`` and give its path; a key that is there already stays."""
    path = folder / _FILE
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        # NOTE: written beside and linked, so that two processes that start together agree on one whole key.
        beside = folder / f"{_FILE}.{secrets.token_hex(4)}"
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_hex(_BYTES) + "\n")
        try:
            path.hardlink_to(beside)
        except FileExistsError:
            pass
        finally:
            beside.unlink()
    except OSError as error:
        raise DefinitionError("access.key_write", path=path, error=error.strerror or error) from error
    return path


def purpose_key(key: bytes, purpose: str) -> bytes:
    """The key of one purpose."""
    return hmac.new(key, b"ecluse pseudonym v1\x00" + purpose.encode(), hashlib.sha256).digest()


def pseudonym(value: str, key: bytes, purpose: str) -> str:
    """The pseudonym of a value, 64 hexadecimal digits, as ``pseudonym_sql`` computes it."""
    return hmac.new(purpose_key(key, purpose), value.encode(), hashlib.sha256).hexdigest()


def pseudonym_sql(column: str) -> str:
    """The SQL of a column's pseudonyms over its values as text; null stays null.

    The key is two parameters, which ``pseudonym_parameters`` gives: no text, plan or error of the statement holds it.
    """
    text = f"encode(CAST({quote(column)} AS VARCHAR))"
    return f"sha256(${_OUTER}::BLOB || unhex(sha256(${_INNER}::BLOB || {text})))"


def pseudonym_parameters(key: bytes, purpose: str) -> dict[str, bytes]:
    """The values of the parameters in ``pseudonym_sql``: the two padded keys of HMAC."""
    block = purpose_key(key, purpose).ljust(_BLOCK, b"\0")
    return {name: bytes(byte ^ pad for byte in block) for name, pad in ((_INNER, 0x36), (_OUTER, 0x5C))}
