"""Takes one file out of a zip archive."""

from __future__ import annotations

import shutil
import zipfile
import zlib
from pathlib import Path

from ecluse.errors import SourceError
from ecluse.sources.keep import writing

_CHUNK = 4 * 2**20


def extract(archive: Path, target: Path, shown: str, member: str | None = None) -> Path:
    """Write ``member``, or the only one, of ``archive`` to ``target``; zip's own check sums are verified on the way.

    Raises ``SourceError`` for a damaged or encrypted archive, and for one that doesn't hold exactly one such member.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            held = [m for m in opened.infolist() if not m.is_dir()]
            members = [m for m in held if member in (None, m.filename)]
            if len(members) != 1:
                names = ", ".join(m.filename for m in held[:5]) or "-"
                key = "zip_members" if member is None else "zip_member"
                raise SourceError(f"sources.{key}", path=shown, count=len(held), names=names, member=member)
            if members[0].flag_bits & 0x1:
                raise SourceError("sources.zip_damaged", path=shown, error="encrypted")
            with opened.open(members[0]) as source, writing(target.parent), target.open("wb") as file:
                shutil.copyfileobj(source, file, _CHUNK)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError) as error:
        raise SourceError("sources.zip_damaged", path=shown, error=error) from error
    return target
