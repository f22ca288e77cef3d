"""Takes the one file out of a zip archive."""

from __future__ import annotations

import shutil
import zipfile
import zlib
from pathlib import Path

from ecluse.errors import SourceError
from ecluse.sources.keep import writing

_CHUNK = 4 * 2**20


def extract(archive: Path, target: Path, shown: str) -> Path:
    """Write the only member of ``archive`` to ``target``; zip's own check sums are verified on the way.

    Raises ``SourceError`` for a damaged or encrypted archive, and for one with no or with several members.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            members = [m for m in opened.infolist() if not m.is_dir()]
            if len(members) != 1:
                names = ", ".join(m.filename for m in members[:5]) or "-"
                raise SourceError("sources.zip_members", path=shown, count=len(members), names=names)
            if members[0].flag_bits & 0x1:
                raise SourceError("sources.zip_damaged", path=shown, error="encrypted")
            with opened.open(members[0]) as source, writing(target.parent), target.open("wb") as file:
                shutil.copyfileobj(source, file, _CHUNK)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError) as error:
        raise SourceError("sources.zip_damaged", path=shown, error=error) from error
    return target
