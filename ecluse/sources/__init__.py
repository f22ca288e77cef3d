"""Collection from files and databases: raw bytes kept by hash, rows typed strictly, rejects kept with a reason."""

from ecluse.sources.collection import collect
from ecluse.sources.keep import keep_file
from ecluse.sources.packages import package_file, package_origin
from ecluse.sources.released import NUMBER, ReleasedFile, ReleasedFiles
from ecluse.sources.result import Collection, Counts, RawInput

__all__ = [
    "NUMBER",
    "Collection",
    "Counts",
    "RawInput",
    "ReleasedFile",
    "ReleasedFiles",
    "collect",
    "keep_file",
    "package_file",
    "package_origin",
]
